"""Deliveries checked as they are read are told what they are told whole, whatever the lots."""

import shutil
from datetime import date
from pathlib import Path

import geopandas as gpd
import pytest
from geopandas.testing import assert_geodataframe_equal

from gracethd.check import check_all, check_paths
from gracethd.check.write import write_findings
from gracethd.deliveries import open_deliveries
from gracethd.synth import random_area, synthesise, write_synth

DAY = date(2026, 3, 1)


@pytest.fixture(scope="module")
def livraisons(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give faulty deliveries in both versions, and one of them again in a folder beside: two of one name."""
    folder = tmp_path_factory.mktemp("lots")
    write_synth(synthesise(random_area(120, seed=3), seed=3, faults=0.1), folder)
    again = folder / "livraisons" / "encore"
    again.mkdir()
    first = min((folder / "livraisons").glob("DISTRIBUTION*.zip"))
    shutil.copy(first, again)
    return folder / "livraisons"


@pytest.fixture(scope="module")
def whole(livraisons: Path) -> gpd.GeoDataFrame:
    return check_all(open_deliveries([livraisons, livraisons / "encore"]))


@pytest.mark.parametrize("lot_rows", [1, 300])
def test_findings_do_not_depend_on_the_lots(
    livraisons: Path, whole: gpd.GeoDataFrame, lot_rows: int, tmp_path: Path
) -> None:
    paths = [livraisons, livraisons / "encore"]
    checked = check_paths(paths, lot_rows=lot_rows)
    assert_geodataframe_equal(checked.findings, whole)
    for suffix in (".csv", ".json"):
        for name, findings, deliveries in (
            ("whole", whole, open_deliveries(paths)),
            ("lots", checked.findings, checked.deliveries),
        ):
            write_findings(findings, tmp_path / (name + suffix), day=DAY, deliveries=deliveries)
        assert (tmp_path / f"lots{suffix}").read_bytes() == (tmp_path / f"whole{suffix}").read_bytes()


def test_the_faults_ask_every_kind_of_rule(whole: gpd.GeoDataFrame) -> None:
    """Of one row, of one delivery, of deliveries against each other, of the network; in both copies."""
    told = {*whole["rule"]}
    assert {"cle_double", "cable_hors_noeud", "cle_etrangere", "livraisons_contradictoires"} <= told
    assert {"partie_isolee", "prise_non_tracee_adresse_sans_ligne"} <= told
    assert whole["delivery"].str.startswith("encore/").any()
