"""The public samples as golden cases: the figures are DESIGN's and those of domain notes read on the data.

demo01 (v2.0.1) and the v3 sample tell one network, one NRO and one SRO with 21 premises; the second is a
migration of the first with fewer cables and other positions.
"""

from pathlib import Path

import pandas as pd
import pytest

from gracethd.network import Network, build_network
from gracethd.reading import read
from gracethd.report import describe
from gracethd.routes import Routes, trace_routes
from tests.networks import losses

Traced = tuple[Network, Routes, pd.DataFrame]
SRO = {"demo01": "LT200180030502", "sample_v3": "LT200180030502"}


def trace(folder: Path) -> Traced:
    inventory = read(folder)
    network = build_network(inventory)
    routes = trace_routes(inventory, network)
    return network, routes, losses(routes, network)


@pytest.fixture(scope="module")
def demo(demo01: Path) -> Traced:
    """Trace demo01."""
    return trace(demo01)


@pytest.fixture(scope="module")
def v3(sample_v3: Path) -> Traced:
    """Trace the v3 sample."""
    return trace(sample_v3)


def by_pbo(routes: Routes) -> dict[str, int]:
    rows = routes.prises[routes.prises["reason"] == ""]
    return {str(code): int(n) for code, n in rows.groupby("pbo")["n"].sum().items()}


@pytest.mark.parametrize("sample", ["demo", "v3"])
def test_both_versions_give_the_same_premises_per_pbo(sample: str, request: pytest.FixtureRequest) -> None:
    _, routes, _ = request.getfixturevalue(sample)
    assert by_pbo(routes) == {"BP000180030675": 6, "BP000180030676": 8, "BP000180030705": 7}


def test_demo01_23_inventoried_are_21_traced_4_by_splice_17_by_cable_and_2_of_an_address(
    demo: Traced,
) -> None:
    counts = demo[1].counts
    assert counts["prises_inventoried"] == 23
    assert counts["prises_traced_splice"] == 4
    assert counts["prises_traced_cable"] == 17
    assert counts["prises_traced_zone"] == 0
    assert counts["prises_untraced"] == 2
    assert counts["prises_untraced_reasons"] == {"adresse_sans_ligne": 2}


def test_the_two_untraced_prises_of_demo01_are_those_of_the_address_without_row(demo: Traced) -> None:
    prises = demo[1].prises
    assert prises.loc[prises["traced"] == "", "code"].tolist() == ["AD000180031404"]


@pytest.mark.parametrize("sample", ["demo", "v3"])
def test_losing_the_sro_cuts_and_strands_all_though_a_chamber_and_a_closure_carry_both_layers(
    sample: str, request: pytest.FixtureRequest
) -> None:
    network, routes, by = request.getfixturevalue(sample)
    rooms = routes.rooms.set_index("nature")
    for nature in ("PM", "NRO"):
        assert by.loc[("local", rooms.loc[nature, "code"]), ["cut", "stranded"]].tolist() == [21, 21]
    shared = network.assets.set_index(["kind", "code"])
    assert shared.loc[("ebp", "BP000180030714"), "segment"] == "transport"


def test_the_closure_with_both_layers_cuts_all_and_strands_none(demo: Traced, v3: Traced) -> None:
    assert v3[2].loc[("ebp", "BP000180030714"), ["cut", "stranded"]].tolist() == [21, 0]
    assert demo[2].loc[("ebp", "BP000180030714"), ["cut", "stranded"]].tolist() == [21, 0]


def test_v3_parallel_cables_cut_without_stranding_and_their_way_strands(v3: Traced) -> None:
    by = v3[2]
    assert by.loc[("cable", "CB000180030916"), ["cut", "stranded"]].tolist() == [14, 0]
    assert by.loc[("cable", "CB000180030917"), ["cut", "stranded"]].tolist() == [7, 0]
    assert by.loc[("cheminement", "CM200180033134"), ["cut", "stranded"]].tolist() == [21, 21]


def test_v3_two_cables_whose_node_code_contradicts_their_end_box(v3: Traced) -> None:
    found = v3[0].findings.query("rule == 'extremite_contradictoire'")
    assert len(found) == 2
    assert found["message"].str.contains("bout 2").all()


@pytest.mark.parametrize("sample", ["demo", "v3"])
def test_every_asset_strands_at_most_what_it_cuts(sample: str, request: pytest.FixtureRequest) -> None:
    _, routes, by = request.getfixturevalue(sample)
    assert (by["stranded"] <= by["cut"]).all()
    assert set(routes.prises.loc[routes.prises["traced"] != "", "state"]) == {"complete"}
    assert routes.feeds[["source"]].to_numpy().tolist() == [["nro"]]


def test_the_report_says_in_french_what_the_delivery_holds(demo01: Path, demo: Traced) -> None:
    network, routes, _ = demo
    text = describe(read(demo01), network, routes)
    assert "prises : 23 inventoriées = 21 tracées (épissure 4, câble 17, zone 0) + 2 non tracées" in text
    assert "(adresse_sans_ligne 2)" in text
    assert "NRO (collecte non jugée) 1" in text
    assert "prises de tracé ambigu : 0" in text
    assert "3 épissures" in text
    assert "cheminement_par_geometrie" in text


def test_the_assets_of_demo01_are_its_network_and_no_premise(demo: Traced) -> None:
    """27 of 49 cables are patch cords, 21 of 27 boxes are PTO, 14 of 27 nodes hold homes only."""
    kinds = demo[0].assets["kind"].value_counts().to_dict()
    assert kinds == {
        "cable": 22, "cheminement": 25, "conduite": 25, "ebp": 6, "local": 2, "noeud": 13, "ptech": 9,
        "site": 2,
    }  # fmt: skip
