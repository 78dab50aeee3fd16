"""Sections of a TOML file, with values given typed or refused in words that its writer understands."""

import difflib
import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import TypeVar

from gracethd.errors import GraceTHDError

T = TypeVar("T")
# "PG:", "GPKG:", "https:" ask a data library for something else than a file; "C:" is a Windows drive
_PREFIX = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:")


class StudyError(GraceTHDError):
    """A study, or a file that it names, that cannot be used; the message names the key and the cure."""


@dataclass(frozen=True)
class Section:
    """One table of a TOML file and where it stands; every method raises `StudyError` on a wrong value.

    Attributes
    ----------
    name : str
        Dotted path of the table in the file, empty for the file itself.
    values : mapping
    """

    name: str
    values: Mapping[str, object]

    def full(self, key: str) -> str:
        """Give the dotted path of a key, as messages name it."""
        return f"{self.name}.{key}" if self.name else key

    def refuse_unknown(self, known: Iterable[str]) -> None:
        """Refuse any key that is not in `known`, with the nearest known name."""
        names = tuple(known)
        for key in self.values:
            if key not in names:
                raise StudyError(f"{self.full(key)}: unknown key of a study; {near_name(key, names)}")

    def text(self, key: str, *, hint: str = "a text", default: str | None = None) -> str:
        """Give a text that is not blank; `default` where the key is absent."""
        if key not in self.values and default is not None:
            return default
        value = self.values.get(key)
        if not isinstance(value, str) or not value.strip():
            raise self._error(key, hint)
        return value

    def number(self, key: str, *, default: float | None = None) -> float:
        """Give a finite number."""
        value = self.values.get(key, default)
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise self._error(key, "a number")
        return float(value)

    def numbers(self, key: str, *, n: int) -> tuple[float, ...]:
        """Give a list of `n` finite numbers."""
        values = self.values.get(key)
        if not isinstance(values, list) or len(values) != n:
            raise self._error(key, f"a list of {n} numbers")
        numbered = Section(self.name, {f"{key}[{i}]": value for i, value in enumerate(values)})
        return tuple(numbered.number(name) for name in numbered.values)

    def day(self, key: str) -> date:
        """Give a date, written without quotes."""
        value = self.values.get(key)
        if not isinstance(value, date) or isinstance(value, datetime):
            raise self._error(key, "a date without quotes, like 2026-01-31,")
        return value

    def path(self, key: str, folder: Path) -> Path:
        """Give the absolute path of an ordinary file name, relative to `folder`."""
        return plain_path(self.values.get(key), folder, self.full(key))

    def whole(self, key: str, *, default: int, least: int) -> int:
        """Give a whole number of `least` or more."""
        value = self.values.get(key, default)
        if isinstance(value, bool) or not isinstance(value, int) or value < least:
            raise self._error(key, f"a whole number of {least} or more")
        return value

    def choice(self, key: str, choices: tuple[T, ...], *, default: T | None = None) -> T:
        """Give the one of `choices` that stands there."""
        value = self.values.get(key, default)
        for choice in choices:
            if value == choice:
                return choice
        raise self._error(key, f"one of {', '.join(repr(choice) for choice in choices)}")

    def items(self, key: str) -> list[object]:
        """Give a list with at least one item."""
        value = self.values.get(key)
        if not isinstance(value, list) or not value:
            raise self._error(key, "a list with at least one item")
        return value

    def section(self, key: str) -> "Section":
        """Give the table under a key, an empty one when it is absent."""
        return self._section(key, self.values.get(key, {}))

    def sections(self, key: str) -> list["Section"]:
        """Give a list of at least one table."""
        return [self._section(key, item) for item in self.items(key)]

    def _section(self, key: str, value: object) -> "Section":
        if not isinstance(value, dict):
            raise StudyError(f"{self.full(key)}: a table is expected ([...] or {{...}}), not {value!r}")
        return Section(self.full(key), value)

    def _error(self, key: str, expected: str) -> StudyError:
        shown = repr(self.values[key]) if key in self.values else "nothing"
        return StudyError(f"{self.full(key)}: {expected} is expected, not {shown}")


def near_name(name: str, known: Iterable[str]) -> str:
    """Give the end of a message that proposes the nearest known name, or lists them all.

    Examples
    --------
    >>> near_name("sead", ["seed", "loss"])
    "did you mean 'seed'?"
    """
    names = sorted(known)
    near = difflib.get_close_matches(name, names, n=1)
    return f"did you mean {near[0]!r}?" if near else f"known: {', '.join(names)}"


def hours_of(text: str, where: str) -> float:
    """Give the hours that a text says: 6h, 6, 90min or 2j.

    Raises
    ------
    StudyError
        With `where` in the message.

    Examples
    --------
    >>> [hours_of(text, "--at") for text in ("6h", "90min", "2j", "1,5")]
    [6.0, 1.5, 48.0, 1.5]
    """
    found = re.fullmatch(r"\s*(\d+(?:[.,]\d+)?)\s*(h|min|j|d)?\s*", text)
    if found is None:
        raise StudyError(f"{where}: {text!r} is not a time; write it as 6h, 90min or 2j")
    return float(found[1].replace(",", ".")) * {"min": 1 / 60, "j": 24.0, "d": 24.0}.get(found[2], 1.0)


def plain_path(value: object, folder: Path, where: str) -> Path:
    """Give the absolute path of an ordinary file name; nothing that a data library would fetch elsewhere.

    Raises
    ------
    StudyError
        With `where`, the key of the study, in the message.
    """
    if not isinstance(value, str) or not value.strip():
        shown = "nothing" if value is None else repr(value)
        raise StudyError(f"{where}: a path between quotes is expected, not {shown}")
    prefix = _PREFIX.match(value)
    if prefix or value.startswith(("/vsi", "\\\\", "//")) or not value.isprintable():
        # an address may hold a password: only what it begins with is shown
        told = f"{prefix[0]}..." if prefix else value
        is_database = prefix is not None and prefix[0].lower().startswith(("postgres", "pg:"))
        cure = (
            "run gracethd import ADDRESS -o inventaire.parquet and name that folder"
            if is_database
            else "copy the file beside the study"
        )
        raise StudyError(f"{where}: {told!r} is not a plain file path; {cure}")
    return folder / value
