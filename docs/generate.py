"""Write the pages of the documentation that are tables of the packages: parameters, curves and rules.

``python docs/generate.py`` rewrites them; the tests compare them with the tables (`pages`).
"""
# ruff: noqa: INP001 - a script beside the pages it writes, not a package

from pathlib import Path

import pandas as pd

from gracethd.check.conditions import conditions
from gracethd.check.peers import peer_controls
from gracethd.check.rules import RULES
from gracethd.check.settings import thresholds_table
from resilience.parameters import default_curves, default_parameters

HERE = Path(__file__).resolve().parent
NOTE = "<!-- written by docs/generate.py: change the tables of the packages, then run it -->\n"

PARAMETERS = """# Parameters

{note}
Fragilities, rates, durations and costs are data: each has a unit, three values and a source, or the word
*assumption*. Low, central and high are taken all together. A study replaces any of them:

```toml
[parameters]
"pm.plinth_m" = {{low = 0.10, central = 0.15, high = 0.25, source = "survey"}}
"loop.near_legs.distance_m" = {{low = 30, central = 30, high = 30, source = "road authority"}}
curves = "courbes.csv"                                  # whole curves, see below
incidents = {{from = 2021-01-01, to = 2025-12-31}}        # days that [tables] incidents covers

[tables]
incidents = "journal.csv"                               # date, kind, code (or x, y), cause, hours

[loss]
tail = "constant"                                       # none, constant, linear
draws = 1000                                            # states of each event, the first ones
precision = 0.05                                        # go on until the 95 % interval is +- 5 % of the mean
max_draws = 100000
workers = 2                                             # processes: they change no number
memory_mb = 200                                         # for the draws of each
one_at_a_time = true                                    # pertes_parametres.csv: slow

[[loss.observed]]                                       # pertes_observees.csv
name = "crue de novembre"
hazard = "crue observée"                                # or objects = ["local:LC0001", ...]
event = "novembre 2023"
prises_down = 2800
```

The log updates the rates by Gamma-Poisson (`resilience.incidents`); causes are terrassement, vehicule,
malveillance, incendie, vetuste, inondation, vent, energie, autre.

{table}
## Curves

From the intensity of a hazard to a probability of failure, or to failures per kilometre:

- `table`: probability at each intensity `at`, straight lines between them, level outside;
- `step`: probability `p` where the intensity is above `from`;
- `lognormal`: median `theta` and log-deviation `beta` of the intensity that breaks it;
- `rate`: failures per kilometre at each intensity `at`, straight lines between them, level outside.

Curves of lines (`way.*`) with a probability hold for one span of `pole.per_km`, that of scour for one
crossing. An empty value is that of the parameter named beside it. A study replaces whole curves by a CSV file
with these columns: `[parameters]` `curves = "courbes.csv"`.

{curves}"""
RULES_PAGE = """# Rules of `gracethd check`

{note}
One line a rule: what it tells (French and English), why it matters, usual causes and what to do (French, as
the page of findings shows them). A finding names table, attribute, code and row; it never blocks by itself:
`--fail-on` says from which severity the command ends with code 1. `--rules FILE.toml` changes severities and
thresholds and leaves rules out:

```toml
disable = ["longueur"]
[severity]
cable_boucle = "majeur"
[thresholds]
node_m = 0.05
```

{rules}
## Thresholds

{thresholds}
## Conditional filling

Attributes that a container of GraceTHD 3 requires only where a condition holds (`remplissage_conditionnel`).

{conditions}"""
PEERS_PAGE = """# Controls of other checkers

{note}
Which rule of ours ([rules.md](rules.md)) tells what each control of GraceTHD-Check (v0.02.2, GraceTHD 2) and
dbt-grace-thd (GraceTHD 3.0.1) tells. Ids only: `a…b` is a range, `<attribute>` one control an attribute.

{table}"""
FAMILIES = {
    "lecture": "Reading", "presence": "Presence", "types": "Types", "longueurs": "Lengths", "listes": "Lists",
    "cles": "Keys", "references": "References", "remplissage": "Filling", "geometrie": "Geometry",
    "topologie": "Topology", "metier": "Trade", "reseau": "Network", "chaines": "Cables and their ways",
    "livraisons": "Between deliveries", "demande": "Demand", "export": "Export",
}  # fmt: skip


def pages() -> dict[str, str]:
    """Give the text of each generated page, by file name.

    Examples
    --------
    >>> sorted(pages())
    ['parameters.md', 'peers.md', 'rules.md']
    """
    return {"parameters.md": _parameters_page(), "peers.md": _peers_page(), "rules.md": _rules_page()}


def _parameters_page() -> str:
    return PARAMETERS.format(
        note=NOTE, table=_markdown(default_parameters().table), curves=_markdown(default_curves())
    )


def _peers_page() -> str:
    return PEERS_PAGE.format(note=NOTE, table=_markdown(peer_controls()))


def _rules_page() -> str:
    families = [
        f"## {title}\n\n" + _markdown(RULES[RULES["family"] == family].drop(columns="family"))
        for family, title in FAMILIES.items()
    ]
    return RULES_PAGE.format(
        note=NOTE, rules="\n".join(families), thresholds=_markdown(thresholds_table()),
        conditions=_markdown(conditions().drop(columns="peer")),
    )  # fmt: skip


def _markdown(table: pd.DataFrame) -> str:
    """Give a table as Markdown; pipes and line ends of a cell would break it."""
    cells = table.map(lambda value: f"{value:g}" if isinstance(value, float) else str(value))
    cells = cells.where(table.notna(), "")
    cells = cells.map(lambda text: text.replace("|", "\\|").replace("\n", " ").replace("<", "&lt;"))
    rows = [list(map(str, table.columns)), ["---"] * table.shape[1], *cells.to_numpy().tolist()]
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


if __name__ == "__main__":
    for name, text in pages().items():
        (HERE / name).write_text(text, encoding="utf-8")
