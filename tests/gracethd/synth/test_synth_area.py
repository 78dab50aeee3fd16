"""Area files, the facts of the example, and invented areas."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gracethd.errors import SourceError
from gracethd.synth import random_area, read_area

EXAMPLE = Path(__file__).resolve().parents[3] / "data" / "exemple" / "area.toml"

FACTS = {  # INSEE code -> premises: issue A, from Arcep open data on communes (Licence Ouverte)
    "62534": 1965, "62902": 1644, "62423": 786, "62309": 706, "62882": 576,
    "62403": 561, "62292": 387, "62794": 294, "62702": 171,
}  # fmt: skip


def test_the_example_has_the_communes_of_the_issue() -> None:
    area = read_area(EXAMPLE)
    assert {commune.insee: commune.prises for commune in area.communes} == FACTS
    assert sum(FACTS.values()) == 7090


def test_centroids_of_the_example_are_facts(shared: Path) -> None:
    geopandas = pytest.importorskip("geopandas")
    real = geopandas.read_file(shared / "realdata" / "fr_59_62" / "communes_59_62_cog2026.gpkg").set_index(
        "code"
    )
    for commune in read_area(EXAMPLE).communes:
        row = real.loc[commune.insee]
        assert row["nom"] == commune.nom
        assert commune.postal in row["codes_postaux"]
        assert row.geometry.centroid.distance(geopandas.points_from_xy([commune.x], [commune.y])[0]) < 1


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (('version = "mixed"', 'version = "4"'), "version"),
        (("prises = 294", "prises = 0"), "62794"),
        (("prises = 294", 'prises = "294"'), "communes.prises"),
        (('insee = "62702"', 'insee = "62794"'), "insee"),
        (('protection = "fausse_boucle"', 'protection = "anneau"'), "NRO Wavrans"),
        (("prises_par_pm = 480", "prises_par_sro = 480"), "prises_par_pm"),
        (('nom = "POP Est"', 'name = "POP Est"'), "nom"),
        (("epsg = 2154", "epsg = "), "TOML"),
    ],
)
def test_a_wrong_area_file_is_told_in_its_own_words(
    tmp_path: Path, change: tuple[str, str], named: str
) -> None:
    text = EXAMPLE.read_text(encoding="utf-8")
    assert change[0] in text
    path = tmp_path / "zone.toml"
    path.write_text(text.replace(*change), encoding="utf-8")
    with pytest.raises(SourceError, match=named) as caught:
        read_area(path)
    assert "zone.toml" in str(caught.value)


def test_an_absent_area_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"absent\.toml"):
        read_area(tmp_path / "absent.toml")


@given(prises=st.integers(1, 60_000), seed=st.integers(0, 5))
def test_an_invented_area_has_exactly_the_prises_asked(prises: int, seed: int) -> None:
    area = random_area(prises, seed=seed)
    assert sum(commune.prises for commune in area.communes) == prises
    assert min(commune.prises for commune in area.communes) >= 1
    assert len({commune.insee for commune in area.communes}) == len(area.communes)
    assert any(nro.protection == "boucle" for nro in area.nros)
    assert len(area.feeds) >= 2


def test_no_prise_is_refused() -> None:
    with pytest.raises(SourceError, match="--prises 0"):
        random_area(0)
