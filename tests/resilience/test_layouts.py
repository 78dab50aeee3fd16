"""Layers with the attributes and values of the files that French services publish, and no field mapping.

Names and values are those of the publishers: BRGM (Re_Nappe_fr), Géorisques (ExpoArgile), Covadis and CNIG
(plans de prévention des risques), and the beds of hydrogeomorphological atlases (AZI).
"""

from math import nan
from pathlib import Path

import pandas as pd
import pytest

from resilience.exposure import expose
from resilience.hazards import UNITS, Hazard, HazardError, HazardEvent, HazardKind, Reading
from tests.resilience.exposure_cases import network, xy
from tests.resilience.test_polygons import box, layer

OVERFLOW = "Zones potentiellement sujettes aux débordements de nappe"
CELLARS = "Zones potentiellement sujettes aux inondations de cave"
NEITHER = "Pas de débordement de nappe ni d'inondation de cave"


PLAIN = Reading()


def read(path: Path, kind: HazardKind, n: int, *, reading: Reading = PLAIN) -> list[float]:
    """Give the intensity in the middle of boxes 0, 1... of a layer."""
    hazard = Hazard("carte", kind, UNITS[kind], "valid", (HazardEvent(nan, path, "carte"),), reading)
    exposure = expose(network([xy(i + 0.5, 0.5) for i in range(n)]), [hazard])
    return [float(value) for value in exposure["intensity_max"]]


def side_by_side(path: Path, rows: list[dict[str, object]]) -> Path:
    return layer(path, [{**row, "geometry": box(i, 0, i + 1, 1)} for i, row in enumerate(rows)])


def nappe(text: str, number: int, trust: str) -> dict[str, object]:
    return {
        "CLASSE": text, "gridcode": number, "FIAB_MNT": "FAIBLE", "FIAB_ESO": trust, "FIAB_TOT": trust,
        "CLASSEFIAB": f"{text}, Fiabilité {trust}",
    }  # fmt: skip


NAPPES = [nappe(NEITHER, 0, "FORTE"), nappe(CELLARS, 2, "MOYENNE"), nappe(OVERFLOW, 1, "INCONNUE")]


@pytest.mark.parametrize("name", ["Re_Nappe_fr.gpkg", "Re_Nappe_fr.shp"])
@pytest.mark.parametrize("kept", ["CLASSE", "gridcode", "CLASSEFIAB"])
def test_rising_groundwater_is_ranked_by_what_it_floods(tmp_path: Path, name: str, kept: str) -> None:
    """The number of the class, 1 for overflow and 2 for cellars, is no rank: overflow is the worse."""
    others = {"CLASSE", "gridcode", "CLASSEFIAB"} - {kept}
    rows = [{k: v for k, v in row.items() if k not in others} for row in NAPPES]
    assert read(side_by_side(tmp_path / name, rows), "groundwater", 3) == [0.0, 1.0, 2.0]


def test_the_apostrophe_of_a_word_processor_changes_nothing(tmp_path: Path) -> None:
    rows = [nappe(NEITHER.replace("'", "\u2019"), 0, "FORTE")]
    assert read(side_by_side(tmp_path / "n.gpkg", rows), "groundwater", 1) == [0.0]


def test_a_study_ranks_the_classes_its_own_way(tmp_path: Path) -> None:
    own = Reading(classes={OVERFLOW: (4.0, 4.0, 4.0), CELLARS: (3.0, 3.0, 3.0), NEITHER: (0.0, 0.0, 0.0)})
    path = side_by_side(tmp_path / "n.gpkg", NAPPES)
    assert read(path, "groundwater", 3, reading=own) == [0.0, 3.0, 4.0]


def test_clay_by_number_or_by_word(tmp_path: Path) -> None:
    rows = [
        {"DPT": "62", "NIVEAU": n, "ALEA": word} for n, word in ((1, "Faible"), (2, "Moyen"), (3, "Fort"))
    ]
    assert read(side_by_side(tmp_path / "a.shp", rows), "clay", 3) == [1.0, 2.0, 3.0]
    words = [{"alea": row["ALEA"]} for row in rows]
    assert read(side_by_side(tmp_path / "b.gpkg", words), "clay", 3) == [1.0, 2.0, 3.0]


def test_wildfire_of_a_ppr_in_both_standards(tmp_path: Path) -> None:
    cnig = [{"typealea": "16", "niveaualea": code} for code in ("01", "02", "04", "06", "08")]
    assert read(side_by_side(tmp_path / "cnig.gpkg", cnig), "fire", 5) == [1.0, 2.0, 3.0, 4.0, 4.0]
    words = ("Fai", "M", "F", "Très fort", "Exceptionnel")
    covadis = [{"ID_ZONE": i, "NIVALEA_ST": word} for i, word in enumerate(words)]
    assert read(side_by_side(tmp_path / "covadis.shp", covadis), "fire", 5) == [1.0, 2.0, 3.0, 4.0, 4.0]


def test_wildfire_of_another_map_by_its_words(tmp_path: Path) -> None:
    words = ["Très faible", "Faible", "Modérée", "Forte", "Très forte"]
    rows = [{"sensibilite": word} for word in words]
    reading = Reading(fields={"class": "sensibilite"})
    path = side_by_side(tmp_path / "f.gpkg", rows)
    assert read(path, "fire", 5, reading=reading) == [1.0, 1.0, 2.0, 3.0, 4.0]


def test_an_atlas_of_flood_zones_is_presence_without_any_attribute(tmp_path: Path) -> None:
    path = side_by_side(tmp_path / "L_AZI_LIANE_INON_ZINF_S_062.shp", [{"ID": 1}, {"ID": 2}])
    assert read(path, "flood_extent", 2) == [1.0, 1.0]
    assert read(path, "flood_depth", 2, reading=Reading(presence=(0.2, 0.5, 1.0))) == [0.5, 0.5]


def test_the_beds_of_an_atlas_stand_for_depths(tmp_path: Path) -> None:
    beds = ["Lit mineur", "Lit moyen", "Lit majeur", "Lit majeur exceptionnel"]
    path = side_by_side(tmp_path / "azi.gpkg", [{"TYPE_LIT": bed} for bed in beds])
    own = Reading(fields={"class": "TYPE_LIT"})
    assert read(path, "flood_depth", 4, reading=own) == [2.0, 1.0, 0.5, 0.25]
    mapped = Reading(fields={"class": "TYPE_LIT"}, where={"TYPE_LIT": ("Lit moyen", "Lit majeur")})
    depths = read(path, "flood_depth", 4, reading=mapped)
    assert pd.isna(depths[0])
    assert depths[1:3] == [1.0, 0.5]


def test_each_bed_of_an_atlas_may_be_an_event(tmp_path: Path) -> None:
    path = side_by_side(tmp_path / "azi.shp", [{"TYPE_LIT": "Lit moyen"}, {"TYPE_LIT": "Lit majeur"}])
    events = (HazardEvent(5.0, path, select="Lit moyen"), HazardEvent(100.0, path, select="Lit majeur"))
    reading = Reading(fields={"class": "TYPE_LIT", "scenario": "TYPE_LIT"})
    azi = Hazard("AZI", "flood_depth", "m", "valid", events, reading)
    exposure = expose(network([xy(0.5, 0.5), xy(1.5, 0.5)]), [azi])
    assert exposure["intensity_max"].fillna(-1.0).tolist() == [1.0, -1.0, -1.0, 0.5]


def test_a_class_that_nothing_explains_names_file_attribute_and_cure(tmp_path: Path) -> None:
    path = side_by_side(tmp_path / "Re_Nappe_fr.gpkg", [{"CLASSE": "Zone imperméable"}])
    with pytest.raises(HazardError) as refusal:
        read(path, "groundwater", 1)
    message = str(refusal.value)
    for part in ("Re_Nappe_fr.gpkg", "CLASSE", "zone impermeable", "classes = {", "where"):
        assert part in message
