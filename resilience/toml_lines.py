"""On which line of a TOML file a key stands, so that a message can point there.

`tomllib` reads values without their places. This looks for the places only, in a text that `tomllib` has
already taken: it need not judge TOML, only find headers and keys.
"""

import re
from collections.abc import Iterator

_STRING = re.compile(r'"(?:\\.|[^"\\])*"|\'[^\']*\'')
_LONG_STRING = re.compile(r'"""|\'\'\'')
_KEY = r'(?:[A-Za-z0-9_-]+|"(?:\\.|[^"\\])*"|\'[^\']*\')'
_DOTTED = rf"{_KEY}(?:\s*\.\s*{_KEY})*"
_HEADER = re.compile(rf"\s*\[\[?\s*({_DOTTED})\s*\]\]?")
_ASSIGNED = re.compile(rf"\s*({_DOTTED})\s*=")
_NAME = re.compile(r"""\s*name\s*=\s*(?:"([^"]*)"|'([^']*)')""")


def line_of(text: str, key: str) -> int | None:
    r"""Give the line (from 1) of a key as messages name it, or of the nearest table around it.

    Parameters
    ----------
    text : str
        Of the file.
    key : str
        Dotted; a table of an array is named by its ``name`` (``hazards.crue.unit``).

    Examples
    --------
    >>> study = '[loss]\ndraws = 0\n[[hazards]]\nname = "crue"\nunit = "km"'
    >>> [line_of(study, key) for key in ("loss.draws", "hazards.crue.unit", "hazards.crue.events", "seed")]
    [2, 5, 4, None]
    """
    lines: dict[str, int] = {}
    for found, number in _keys(text):
        lines.setdefault(found, number)
    while key:
        if key in lines:
            return lines[key]
        key = key.rpartition(".")[0]
    return None


def _keys(text: str) -> Iterator[tuple[str, int]]:
    """Give each dotted key and its line; those of an array's table by its name, if it has one, too."""
    table, named, depth, quote = "", "", 0, ""
    for number, line in enumerate(text.splitlines(), start=1):
        if quote:
            quote = "" if quote in line else quote
            continue
        header, assigned = _HEADER.match(line), _ASSIGNED.match(line)
        if depth == 0 and header is not None:
            table = named = _plain(header[1])
            yield table, number
        elif depth == 0 and assigned is not None:
            if name := _NAME.match(line):
                named = f"{table}.{name[1] or name[2]}"
                yield named, number
            for above in dict.fromkeys((named, table)):
                yield ".".join(filter(None, (above, _plain(assigned[1])))), number
        long = _LONG_STRING.search(line)
        if long is not None and line.count(long[0]) == 1:
            quote = long[0]
        bare = _STRING.sub("", line).partition("#")[0]
        if depth or header is None:
            depth += sum(bare.count(open_) for open_ in "[{") - sum(bare.count(close) for close in "]}")


def _plain(dotted: str) -> str:
    """Give a dotted key without its quotes and blanks, as messages have it."""
    return ".".join(key.strip("\"'") for key in re.findall(_KEY, dotted))
