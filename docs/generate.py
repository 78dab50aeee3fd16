"""Write the pages of the documentation that are tables of the packages: parameters, curves and rules.

``python docs/generate.py`` rewrites them; the tests compare them with the tables (`pages`).
"""
# ruff: noqa: INP001 - a script beside the pages it writes, not a package

from importlib.resources import files
from pathlib import Path

import pandas as pd

from gracethd.check.rules import RULES
from resilience.parameters import default_parameters

HERE = Path(__file__).resolve().parent
NOTE = "<!-- written by docs/generate.py: change the tables of the packages, then run it -->\n"

PARAMETERS = """# Parameters

{note}
Fragilities, rates, durations and costs are data: each has a unit, three values and a source, or the word
*assumption*. Low, central and high are taken all together. A study replaces any of them:

```toml
[parameters]
"pm.plinth_m" = {{low = 0.10, central = 0.15, high = 0.25, source = "survey"}}
```

{table}
## Curves

Probability of failure `p` given the intensity `x`, linear between points.

{curves}"""
RULES_PAGE = """# Rules of `gracethd check`

{note}
One line a rule. A finding names table, attribute, code and row; it never blocks by itself: `--fail-on` says
from which severity the command ends with code 1.

{table}"""


def pages() -> dict[str, str]:
    """Give the text of each generated page, by file name.

    Examples
    --------
    >>> sorted(pages())
    ['parameters.md', 'rules.md']
    """
    return {"parameters.md": _parameters_page(), "rules.md": _rules_page()}


def _parameters_page() -> str:
    return PARAMETERS.format(
        note=NOTE, table=_markdown(default_parameters().table), curves=_markdown(_curves())
    )


def _rules_page() -> str:
    return RULES_PAGE.format(note=NOTE, table=_markdown(RULES))


def _curves() -> pd.DataFrame:
    folder = files("resilience.parameters") / "curves"
    tables = sorted(
        (path for path in folder.iterdir() if path.name.endswith(".csv")), key=lambda path: path.name
    )
    frames = []
    for path in tables:
        with path.open(encoding="utf-8") as stream:
            frames.append(pd.read_csv(stream).assign(table=path.name.removesuffix(".csv")))
    curves = pd.concat(frames, ignore_index=True)
    return curves[["table", *curves.columns.drop("table")]]


def _markdown(table: pd.DataFrame) -> str:
    """Give a table as Markdown; pipes and line ends of a cell would break it."""
    cells = table.map(lambda value: f"{value:g}" if isinstance(value, float) else str(value))
    cells = cells.map(lambda text: text.replace("|", "\\|").replace("\n", " ").replace("<", "&lt;"))
    rows = [list(map(str, table.columns)), ["---"] * table.shape[1], *cells.to_numpy().tolist()]
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


if __name__ == "__main__":
    for name, text in pages().items():
        (HERE / name).write_text(text, encoding="utf-8")
