"""Messages about a study point at the line of its file."""

from pathlib import Path

import pytest

from gracethd.errors import GraceTHDError
from resilience.study import load_study
from resilience.toml_lines import line_of

STUDY = """# a study
inventory = ["livraisons"]

[loss]
draws = 10   # enough
text = \"\"\"
draws = 3
[not.a.table]
\"\"\"
observed = [
  {name = "1995", prises_down = 3},
]

[parameters]
"cost.chamber.eur" = {low = 1, central = 2, high = 3, source = "x"}

[[hazards]]
name = "crue de l'Aa"
kind = "flood_depth"
events = [
  {return_period = 20, path = "a.tif"},
]

[[hazards]]
kind = "clay"
name = 'argile'

[scenarios."incendie nro"]
start = 2026-01-01
"""


@pytest.mark.parametrize(
    ("key", "line"),
    [
        ("inventory", 2),
        ("loss", 4),
        ("loss.draws", 5),
        ("loss.observed", 10),
        ("loss.observed.prises_down", 10),
        ("parameters.cost.chamber.eur", 15),
        ("parameters.cost.chamber.eur.low", 15),
        ("hazards.crue de l'Aa", 18),
        ("hazards.crue de l'Aa.kind", 19),
        ("hazards.crue de l'Aa.events.return_period", 20),
        ("hazards.argile", 26),
        ("hazards.kind", 19),
        ("scenarios.incendie nro.start", 29),
        ("budget.total_eur", None),
    ],
)
def test_a_key_is_found_where_it_stands_else_the_table_around_it(key: str, line: int | None) -> None:
    assert line_of(STUDY, key) == line


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ("seed = -1", "etude.toml, line 2: seed: a whole number of 0 or more is expected, not -1"),
        (
            "[loss]\n\ntial = 'none'",
            "etude.toml, line 4: loss.tial: unknown key of a study; did you mean 'tail'?",
        ),
        (
            """[[hazards]]
name = "a"
kind = "flood_depth"
unit = "km"
coverage = "valid"
events = [{return_period = 9, path = "x.tif"}]""",
            "etude.toml, line 3: hazard 'a': unit 'km' where flood_depth needs 'm'",
        ),
    ],
)
def test_a_message_names_file_and_line(wrong: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "livraisons").mkdir()
    study = tmp_path / "etude.toml"
    study.write_text(f'inventory = ["livraisons"]\n{wrong}\n', encoding="utf-8")
    with pytest.raises(GraceTHDError) as refused:
        load_study(study)
    assert str(refused.value).startswith(said)


def test_a_message_about_files_points_at_no_line(tmp_path: Path) -> None:
    study = tmp_path / "etude.toml"
    study.write_text('inventory = ["absent"]\n', encoding="utf-8")
    with pytest.raises(GraceTHDError, match=r"^etude.toml names files that do not exist"):
        load_study(study)
