"""Pages of one file that run no script: templates beside this module, escaped, under a strict policy.

For results that a browser opens without a network and that nothing in the data can turn into code.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from importlib.resources import files
from pathlib import Path

import jinja2
import pandas as pd

from gracethd.outputs.labels import column_format, column_label, value_label, written
from gracethd.outputs.publish import DIFFUSION, written_aside

POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"


@dataclass(frozen=True)
class PageTable:
    """A table as a page shows it: headings, which columns are numbers, texts of cells, rows left out."""

    title: str
    heads: tuple[str, ...]
    is_number: tuple[bool, ...]
    rows: tuple[tuple[str, ...], ...]
    left_out: int


def page_table(frame: pd.DataFrame, *, title: str = "", most: int = 500) -> PageTable:
    """Write the cells of a frame for a page, in French, at most `most` rows of it.

    Examples
    --------
    >>> page_table(pd.DataFrame({"prises": [1200]})).heads
    ('Prises',)
    """
    names = [str(name) for name in frame.columns if str(frame[name].dtype) != "geometry"]
    shown = frame.iloc[:most]
    how = {name: column_format(name, frame[name]) for name in names}
    cells = [
        [
            written(value_label(name, value) if isinstance(value, str) else value, how[name])
            for value in shown[name]
        ]
        for name in names
    ]
    return PageTable(
        title,
        tuple(column_label(name) for name in names),
        tuple(how[name] not in ("text", "bool") for name in names),
        tuple(zip(*cells, strict=True)),
        max(0, len(frame) - most),
    )


def write_page(
    template: str, context: Mapping[str, object], path: Path, *, recipient: str, day: date
) -> None:
    """Fill a template of this package and write it, whole, owner only; equal content, equal bytes."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("gracethd.outputs"), autoescape=True, undefined=jinja2.StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    style = (files(__package__) / "templates" / "page.css").read_text(encoding="utf-8")
    text = environment.get_template(template).render(
        policy=POLICY, style=style, diffusion=DIFFUSION, recipient=recipient, day=f"{day:%d/%m/%Y}", **context
    )
    with written_aside(path) as aside:
        aside.write_text(text + "\n", encoding="utf-8", errors="replace", newline="\n")
