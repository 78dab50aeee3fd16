"""Severities, thresholds and rules left out: a TOML file whose every mistake is named with its line."""

from pathlib import Path

import pandas as pd
import pytest

from gracethd.check import RULES, load_settings
from gracethd.check.settings import apply, default_thresholds, thresholds_table
from gracethd.errors import GraceTHDError
from gracethd.findings import findings_frame, merge_findings

GOOD = """
disable = ["longueur", "type_date"]
[severity]
cable_boucle = "majeur"
[thresholds]
node_m = 0.05
"""


def written(text: str, folder: Path) -> Path:
    path = folder / "regles.toml"
    path.write_text(text, encoding="utf-8")
    return path


def two_findings() -> pd.DataFrame:
    return merge_findings([
        findings_frame("cable_boucle", "mineur", "t_cable", code=["A"], message="m"),
        findings_frame("longueur", "mineur", "t_cable", code=["B"], message="m"),
        findings_frame("cle_double", "majeur", "t_cable", code=["C"], message="m"),
    ])  # fmt: skip


def test_a_file_changes_what_it_names_and_nothing_else(tmp_path: Path) -> None:
    settings = load_settings(written(GOOD, tmp_path))
    assert settings.thresholds == {**default_thresholds(), "node_m": 0.05}
    found = apply(settings, two_findings())
    assert found[["code", "severity"]].to_numpy().tolist() == [["A", "majeur"], ["C", "majeur"]]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("\n\nseverities = 1", "line 3: unknown key 'severities'"),
        (
            "[severity]\n# a remark on cable_boucle\ncable_boucle = 'grave'",
            "line 3: severity 'grave' does not",
        ),
        ("[severity]\ncable_bouclee = 'majeur'", "line 2: rule 'cable_bouclee' does not exist"),
        ("disable = [\n'longueur',\n'longeur']", "line 3: rule 'longeur' does not exist"),
        ("disable = 'longueur'", "line 1: disable is a list"),
        ("[thresholds]\nnode_cm = 5", "line 2: threshold 'node_cm' does not exist; choose one of node_m"),
        ("[thresholds]\nnode_m = '5'", "line 2: threshold node_m is '5'"),
        ("[thresholds]\nnode_m = true", "line 2: threshold node_m is True"),
        ("[thresholds]\nnode_m = -1", "line 2: threshold node_m is -1"),
        ("[thresholds]\nnode_m = nan", "line 2: threshold node_m is nan"),
        ("thresholds = 3", "line 1: thresholds is a table"),
        ("[severity", "not TOML"),
    ],
)
def test_a_mistake_is_named_with_its_line(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(GraceTHDError) as error:
        load_settings(written(text, tmp_path))
    assert says in str(error.value)
    assert "regles.toml" in str(error.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(GraceTHDError, match=r"absent\.toml: rules file cannot be read"):
        load_settings(tmp_path / "absent.toml")


def test_every_threshold_has_a_source_and_rules_that_exist() -> None:
    table = thresholds_table()
    assert (table[["unit", "meaning", "source"]] != "").all(axis=None)
    assert {rule for rules in table["rules"] for rule in rules.split()} <= set(RULES.index)
