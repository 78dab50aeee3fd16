"""A study is taken when it is right, and refused in one clear message when it is not."""

from pathlib import Path
from typing import get_args

import numpy as np
import pytest

from gracethd.errors import GraceTHDError
from resilience.hazards import HazardError
from resilience.parameters import default_parameters
from resilience.study import Loss, StudyError, Tail, load_study, study_files
from resilience.study_budget import FAMILIES, Budget

FULL = """
inventory = ["livraisons/*.zip", "autre.zip"]
seed = 7
language = "fr"
[tables]
communes = "communes.gpkg"
[[hazards]]
name = "crue"
kind = "flood_depth"
unit = "m"
coverage = "emprise.gpkg"
events = [{return_period = 100, path = "q100.tif"}, {return_period = 20, path = "../etude/q20.tif"}]
[loss]
tail = "none"
draws = 50
[scenarios.incendie_nro]
failures = [{objects = ["local:NRO1"]}, {kind = "cable", polygon = "emprise.gpkg"}]
[budget]
total_eur = 300000
[outputs]
recipient = "Comité"
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Give a study folder in which every file that FULL names exists, empty."""
    folder = tmp_path / "etude"
    (folder / "livraisons").mkdir(parents=True)
    for name in ("livraisons/b.zip", "livraisons/a.zip", "autre.zip", "communes.gpkg", "emprise.gpkg"):
        (folder / name).touch()
    for name in ("q20.tif", "q100.tif"):
        (folder / name).touch()
    return folder


def write(folder: Path, text: str) -> Path:
    path = folder / "etude.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_full_study_is_read_as_it_is_written(folder: Path) -> None:
    study = load_study(write(folder, FULL))
    assert [path.name for path in study.inventory] == ["autre.zip", "a.zip", "b.zip"]
    assert (study.seed, study.language, study.recipient) == (7, "fr", "Comité")
    assert (study.title, study.notice) == ("etude", "")  # the folder's name, no warning
    assert study.tables == {"communes": folder / "communes.gpkg"}
    (hazard,) = study.hazards
    assert [event.return_period for event in hazard.events] == [20, 100]  # by increasing return period
    assert hazard.coverage == folder / "emprise.gpkg"
    assert study.loss == Loss(tail="none", draws=50, wet_from_m=0)
    assert study.budget == Budget(300_000)
    assert study.scenarios["incendie_nro"].failures[0].objects == ("local:NRO1",)
    assert study_files(study)["scenarios.incendie_nro"] == (folder / "emprise.gpkg",)


def test_the_smallest_study_names_deliveries_only(folder: Path) -> None:
    study = load_study(write(folder, 'inventory = ["autre.zip"]'))
    assert study.inventory == (folder / "autre.zip",)
    assert (study.hazards, study.tables, study.budget, study.recipient) == ((), {}, None, "")
    assert study.loss == Loss("constant", 1000, 0)
    assert study.parameters.table.equals(default_parameters().table)


def test_a_delivery_found_by_two_patterns_is_read_once(folder: Path) -> None:
    study = load_study(write(folder, 'inventory = ["livraisons/*.zip", "livraisons/a.zip"]'))
    assert [path.name for path in study.inventory] == ["a.zip", "b.zip"]


def test_a_name_with_brackets_that_exists_is_not_a_pattern(folder: Path) -> None:
    (folder / "lot[1].zip").touch()
    assert load_study(write(folder, 'inventory = ["lot[1].zip"]')).inventory == (folder / "lot[1].zip",)


def test_the_files_of_a_study_are_all_listed(folder: Path) -> None:
    files = study_files(load_study(write(folder, FULL)))
    assert [path.name for path in files["hazards.crue"]] == ["emprise.gpkg", "q20.tif", "q100.tif"]
    assert sum(len(paths) for paths in files.values()) == 1 + 3 + 1 + 3 + 1


def test_all_missing_files_are_named_in_one_message(folder: Path) -> None:
    (folder / "q20.tif").unlink()
    (folder / "communes.gpkg").unlink()
    with pytest.raises(StudyError, match=r"tables\.communes: .*communes\.gpkg; hazards\.crue: .*q20\.tif"):
        load_study(write(folder, FULL))


def test_a_parameter_takes_the_place_of_the_shipped_one(folder: Path) -> None:
    table = default_parameters().table
    name, unit = table.loc[table["unit"] == "EUR", ["name", "unit"]].iloc[0]
    change = f'[parameters]\n"{name}" = {{low = 1, central = 2, high = 3.5, source = "relevé"}}'
    parameters = load_study(write(folder, f'inventory = ["autre.zip"]\n{change}')).parameters
    assert [parameters.at(name, level) for level in ("low", "central", "high")] == [1, 2, 3.5]
    row = parameters.table.set_index("name").loc[name]
    assert (row["unit"], row["source"]) == (unit, "relevé")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("seed = 7", "sead = 7", r"sead: unknown key of a study; did you mean 'seed'\?"),
        ("draws = 50", "draw = 50", r"loss\.draw: .*did you mean 'draws'\?"),
        ("communes =", "commune =", r"tables\.commune: .*did you mean 'communes'\?"),
        ("coverage =", "couverture =", r"hazards\.couverture: unknown key"),
        ('coverage = "emprise.gpkg"', "", r"hazards\.crue\.coverage: .* is expected, not nothing"),
        ("seed = 7", "seed = true", r"seed: a whole number of 0 or more is expected, not True"),
        ("seed = 7", "seed = -1", r"seed: a whole number"),
        ('language = "fr"', 'language = "en"', r"language: one of 'fr' is expected, not 'en'"),
        ('kind = "flood_depth"', 'kind = "wind"', r"hazards\.crue\.kind: one of 'flood_depth'"),
        ('unit = "m"', 'unit = "cm"', r"'crue': unit 'cm' where flood_depth needs 'm'"),
        ('unit = "m"', "", r"hazards\.crue\.unit: a text is expected, not nothing"),
        ("return_period = 20", "return_period = 0", r"return periods must be years above 0"),
        ("return_period = 20", "return_period = 100", r"return periods must increase, each once"),
        ("return_period = 20", "return_period = nan", r"return_period: a number is expected"),
        ("draws = 50", "draws = 0", r"loss\.draws: a whole number of 1 or more"),
        ("draws = 50", "wet_from_m = -0.1", r"loss\.wet_from_m: -0\.1 m; give a depth of 0 or more"),
        ("draws = 50", "precision = 5", r"loss\.precision: 5; give a share of the mean between 0 and 1"),
        ("draws = 50", "draws = 50\nmax_draws = 49", r"loss\.max_draws: a whole number of 50 or more"),
        ("draws = 50", "workers = 0", r"loss\.workers: a whole number of 1 or more"),
        ('tail = "none"', 'tail = "zero"', r"loss\.tail: one of 'none', 'constant', 'linear'"),
        ("total_eur = 300000", "total_eur = 0", r"budget\.total_eur: 0; give an amount above 0"),
        ("total_eur = 300000", "", r"budget\.total_eur: a number is expected, not nothing"),
        ("total_eur = 300000", "years_eur = [1, -2]", r"budget\.years_eur\.1: -2; a number of euros"),
        ("total_eur = 300000", "total_eur = 5\nyears_eur = [1]", r"total_eur: 5 €, while years_eur sum to 1"),
        ("total_eur = 300000", "total_eur = 5\nfamilies = {ELAGAGE = 1}", r"families\.ELAGAGE: unknown key"),
        ("total_eur = 300000", "total_eur = 5\nfloors = {a = '1'}", r"floors\.a: a number is expected"),
        ("total_eur = 300000", "total_eur = 5\nforce = []", r"force: a list with at least one item"),
        ('recipient = "Comité"', 'recipient = ""', r"outputs\.recipient: a text is expected"),
        ('recipient = "Comité"', "title = 3", r"outputs\.title: a text is expected, not 3"),
        ('"livraisons/*.zip"', '"livraisons/*.rar"', r"inventory: nothing matches 'livraisons/\*\.rar'"),
        ('["livraisons/*.zip", "autre.zip"]', "[]", r"inventory: a list with at least one item"),
        ('["livraisons/*.zip", "autre.zip"]', '"autre.zip"', r"inventory: a list with at least one item"),
        ('["livraisons/*.zip", "autre.zip"]', "[3]", r"inventory: a path between quotes is expected, not 3"),
        ("[budget]", "[[budget]]", r"budget: a table is expected"),
        ("[scenarios.incendie_nro]", "[scenarios]", r"scenarios\.failures: a table is expected"),
        ("[loss]", "[loss", r"not valid TOML"),
    ],
)
def test_a_wrong_study_is_refused_with_the_key_and_the_cure(
    folder: Path, old: str, new: str, message: str
) -> None:
    assert old in FULL
    with pytest.raises((StudyError, HazardError), match=message):
        load_study(write(folder, FULL.replace(old, new)))


def test_an_address_is_refused_without_its_password_and_with_the_cure(folder: Path) -> None:
    address = "postgresql://moi:secret@serveur/reseau?schema=nord"
    with pytest.raises(StudyError, match=r"'postgresql:.*not a plain file path; run gracethd import") as told:
        load_study(write(folder, FULL.replace("livraisons/*.zip", address)))
    assert "secret" not in str(told.value)


def test_a_budget_may_be_spread_and_bound(folder: Path) -> None:
    text = FULL.replace(
        "total_eur = 300000",
        'years_eur = [100, 50]\nfamilies = {BOUCLAGE = 80}\nfloors = {"62001" = 10}\nforbid = ["a"]',
    )
    study = load_study(write(folder, text))
    expected = Budget(150.0, {"BOUCLAGE": 80.0}, {"62001": 10.0}, (100.0, 50.0), (), ("a",))
    assert study.budget == expected
    assert study.with_budget(None) == study
    with pytest.raises(StudyError, match="spreads its budget over"):
        study.with_budget(200.0)
    other = load_study(write(folder, FULL)).with_budget(5.0)
    assert other.budget == Budget(5.0)


def test_a_study_names_the_families_that_measures_know() -> None:
    from resilience.measures.catalogue import Famille

    assert set(get_args(Famille)) == set(FAMILIES)


def test_a_study_names_the_tails_that_losses_know() -> None:
    from resilience import loss

    assert set(get_args(Tail)) == set(get_args(loss.Tail))


@pytest.mark.parametrize(
    "path",
    [
        "https://example.org/q20.tif", "/vsicurl/http/q20.tif", "/vsizip/a.zip", "//server/share/q20.tif",
        "\\\\\\\\server\\\\share\\\\q20.tif", "GPKG:/tmp/a.gpkg:t", "PG:host=x", "zip://a.zip",
        "q20\\u0000.tif", " ",
    ],
)  # fmt: skip
def test_only_plain_file_paths_are_taken(folder: Path, path: str) -> None:
    with pytest.raises(StudyError, match=r"not a plain file path|a path between quotes"):
        load_study(write(folder, FULL.replace("../etude/q20.tif", path)))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("{low = 3, central = 1, high = 2, source = 's'}", r"must lie between"),
        ("{low = 1, central = 2, source = 's'}", r"\.high: a number is expected, not nothing"),
        ("{low = 1, central = 2, high = 3}", r"\.source: .*is expected, not nothing"),
        ("{low = 1, central = 2, high = 3, source = 's', unit = 'm'}", r"\.unit: unknown key"),
        ("3", r"a table is expected"),
    ],
)
def test_a_parameter_needs_three_ordered_values_and_a_source(folder: Path, change: str, message: str) -> None:
    name = default_parameters().table["name"].iloc[0]
    with pytest.raises(StudyError, match=message):
        load_study(write(folder, f'inventory = ["autre.zip"]\n[parameters]\n"{name}" = {change}'))


def test_an_unknown_parameter_is_refused_with_a_near_name(folder: Path) -> None:
    name = str(default_parameters().table["name"].iloc[0])
    change = f'[parameters]\n"{name}x" = {{low = 1, central = 2, high = 3, source = "s"}}'
    with pytest.raises(StudyError, match=f"did you mean '{name}'"):
        load_study(write(folder, f'inventory = ["autre.zip"]\n{change}'))


def test_a_study_saved_by_a_windows_editor_is_read(folder: Path) -> None:
    path = folder / "etude.toml"
    path.write_bytes(b"\xef\xbb\xbf" + FULL.replace("\n", "\r\n").encode())
    assert load_study(path).recipient == "Comité"


def test_a_study_that_is_absent_a_folder_or_not_text_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StudyError, match="does not exist"):
        load_study(tmp_path / "rien.toml")
    with pytest.raises(StudyError, match="cannot be read"):
        load_study(tmp_path)
    (tmp_path / "latin.toml").write_bytes('recipient = "Comité"'.encode("cp1252"))
    with pytest.raises(StudyError, match="not UTF-8"):
        load_study(tmp_path / "latin.toml")
    assert issubclass(StudyError, GraceTHDError)  # so that a command ends with exit code 2


def test_a_file_of_curves_replaces_shipped_ones_and_is_told_among_the_inputs(tmp_path: Path) -> None:
    (tmp_path / "livraison").mkdir()
    header = "curve,form,unit,at,low,central,high,source\n"
    (tmp_path / "courbes.csv").write_text(
        header + "pm.flood,step,m,from,0.5,0.4,0.3,survey\npm.flood,step,m,p,1,1,1,survey\n", encoding="utf-8"
    )
    text = 'inventory = ["livraison"]\n[parameters]\ncurves = "courbes.csv"\n'
    (tmp_path / "etude.toml").write_text(text, encoding="utf-8")
    study = load_study(tmp_path / "etude.toml")
    assert study.parameters.curve("pm.flood", "central")(np.array([0.4, 0.41])).tolist() == [0.0, 1.0]
    assert study_files(study)["parameters.curves"] == (tmp_path / "courbes.csv",)
    (tmp_path / "courbes.csv").write_text(header + "pm.flot,step,m,from,0,0,0,x\n", encoding="utf-8")
    with pytest.raises(StudyError, match=r"parameters\.curves \(courbes\.csv\).*pm\.flot.*does not exist"):
        load_study(tmp_path / "etude.toml")
    (tmp_path / "courbes.csv").unlink()
    with pytest.raises(StudyError, match=r"courbes\.csv"):
        load_study(tmp_path / "etude.toml")
