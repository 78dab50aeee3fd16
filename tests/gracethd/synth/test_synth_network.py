"""Structure of an invented network, judged by networkx and by geometry."""

import networkx as nx
import numpy as np
import pytest
import shapely

from gracethd.synth import Area, SynthNetwork, random_area, synthesise
from gracethd.synth.roads import lay_roads

HOLDS = {  # cm_typelog -> layers that use the way
    "CO": "CO", "TR": "TR", "DI": "DI", "CT": "CO TR", "CD": "CO DI", "TD": "TR DI", "CX": "CO TR DI",
}  # fmt: skip


@pytest.fixture(params=["example", "small", "invented"], scope="module")
def network(request: pytest.FixtureRequest) -> SynthNetwork:
    if request.param == "invented":
        return synthesise(random_area(5000, seed=4), seed=4)
    return request.getfixturevalue(request.param)


def test_prises_of_each_commune_are_those_of_the_area(network: SynthNetwork) -> None:
    commune = network.addresses["commune"].to_numpy()[network.premises["address"]]
    found = np.bincount(commune, minlength=len(network.area.communes))
    assert found.tolist() == [place.prises for place in network.area.communes]
    assert network.zones["prises"].sum() == len(network.premises)


def test_streets_are_connected_and_cross_the_river_on_bridges_only(network: SynthNetwork) -> None:
    roads = lay_roads(network.area, seed=network.seed)
    graph = nx.Graph(zip(roads.tail.tolist(), roads.head.tolist(), strict=True))
    assert nx.is_connected(graph)
    river = shapely.LineString(network.area.river)
    wet = network.roads.intersects(river)
    assert (wet == (network.roads["pont"] != "")).all()
    assert wet.any()


def test_every_premise_hangs_on_a_pbo_of_its_zone(network: SynthNetwork) -> None:
    boxes = network.boxes.iloc[network.premises["box"]]
    assert set(boxes["typelog"]) == {"PBO"}
    assert (boxes["zone"].to_numpy() == network.premises["zone"].to_numpy()).all()
    assert len(set(network.premises["box"])) == (network.boxes["typelog"] == "PBO").sum()  # none is empty
    mean = len(network.premises) / len(set(network.premises["box"]))
    assert 4 < mean < 7


def ends(network: SynthNetwork, layer: str, net: int) -> nx.MultiGraph:
    """Boxes and sites joined by the cables of one tree or leg."""
    cables = network.cables[(network.cables["layer"] == layer) & (network.cables["net"] == net)]
    graph = nx.MultiGraph()
    for key, row in cables.iterrows():
        a = ("site", row["site1"]) if row["site1"] >= 0 else ("box", row["box1"])
        b = ("site", row["site2"]) if row["site2"] >= 0 else ("box", row["box2"])
        graph.add_edge(a, b, key=key)
    return graph


def test_distribution_is_one_tree_per_pm(network: SynthNetwork) -> None:
    for zone in range(len(network.zones)):
        graph = ends(network, "DI", zone)
        assert nx.is_tree(graph)
        assert {node for node in graph if node[0] == "site"} == {("site", zone)}
        pbo = network.boxes.index[(network.boxes["zone"] == zone) & (network.boxes["typelog"] == "PBO")]
        assert {("box", box) for box in pbo} <= set(graph)


def test_transport_is_one_tree_per_nro_that_reaches_its_pm(network: SynthNetwork) -> None:
    nro_site = network.sites.index[network.sites["kind"] == "NRO"]
    for nro in set(network.zones["nro"]):
        graph = ends(network, "TR", nro)
        assert nx.is_tree(graph)
        wanted = {("site", zone) for zone in network.zones.index[network.zones["nro"] == nro]}
        assert {node for node in graph if node[0] == "site"} == wanted | {("site", nro_site[nro])}


def test_a_cable_lies_exactly_on_the_chain_of_its_ways(network: SynthNetwork) -> None:
    place1, place2 = network.ways["place1"].to_numpy(), network.ways["place2"].to_numpy()
    length = network.ways.length.to_numpy()
    for cable, chain in network.cable_ways.sort_values(["cable", "rank"]).groupby("cable"):
        row = network.cables.loc[cable]
        here = row["place1"]
        for way in chain["way"]:
            assert here in {place1[way], place2[way]}
            here = place2[way] if here == place1[way] else place1[way]
        assert here == row["place2"]
        assert row.geometry.length == pytest.approx(length[chain["way"]].sum(), abs=1e-6)


def legs_of(network: SynthNetwork, protection: str) -> list[int]:
    return network.legs.index[network.legs["protection"] == protection].tolist()


def ways_of(network: SynthNetwork, leg: int) -> set[int]:
    cables = network.cables.index[(network.cables["layer"] == "CO") & (network.cables["net"] == leg)]
    return set(network.cable_ways.loc[network.cable_ways["cable"].isin(cables), "way"])


@pytest.mark.parametrize("name", ["example", "small"])
def test_looped_nro_have_disjoint_legs_to_both_feeds(name: str, request: pytest.FixtureRequest) -> None:
    network = request.getfixturevalue(name)
    graph = nx.MultiGraph()
    met: set[int] = set()
    for leg in legs_of(network, "boucle"):
        ways = network.ways.iloc[sorted(ways_of(network, leg))]
        inner = set(ways["place1"]) | set(ways["place2"])
        inner -= set(network.sites["place"])
        assert not met & inner, "two legs of one loop share a chamber or a pole"
        met |= inner
        graph = nx.compose(graph, ends(network, "CO", leg))
    feeds = network.sites.index[network.sites["kind"] == "POP"]
    assert nx.has_path(graph, ("site", feeds[0]), ("site", feeds[1]))
    assert {("site", i) for i in network.sites.index[network.sites["kind"] == "NRO"][:2]} <= set(graph)


@pytest.mark.parametrize("name", ["example", "small"])
def test_the_false_loop_has_both_legs_in_one_trench_on_one_bridge(
    name: str, request: pytest.FixtureRequest
) -> None:
    network = request.getfixturevalue(name)
    first, second = legs_of(network, "fausse_boucle")
    shared = network.ways.iloc[sorted(ways_of(network, first) & ways_of(network, second))]
    assert (shared["passage"] == "PON").sum() == 1
    assert ways_of(network, first) != ways_of(network, second)
    assert not ways_of(network, first) <= ways_of(network, second)


def test_fibres_fit_in_their_cables(network: SynthNetwork) -> None:
    assert (network.cables["used"] <= network.cables["capacity"]).all()
    into = network.cables[network.cables["layer"] == "DI"].set_index("box2")
    own = network.premises.groupby("box").size()
    assert (into["used"].reindex(own.index) >= own).all()


def test_closures_stand_about_every_two_kilometres_above_the_pm(network: SynthNetwork) -> None:
    above = network.cables[network.cables["layer"] != "DI"]
    assert above.length.max() < 2000 + 130 + 1


def test_layers_share_ways_near_the_pm_and_some_closures(network: SynthNetwork) -> None:
    entries = network.ways[network.ways["voie"] == "ENTREE DE SITE"]
    assert (entries["typelog"] == "TD").sum() == len(network.zones)  # each PM has one entry for both layers
    cables = network.cables
    by_layer = [
        set(cables.loc[cables["layer"] == layer, ["box1", "box2"]].to_numpy().ravel()) - {-1}
        for layer in ("TR", "DI")
    ]
    assert len(by_layer[0] & by_layer[1]) == network.zones["shared_closure"].sum()


@pytest.mark.parametrize(
    ("layer", "low", "high"), [("CO", 0.0, 0.15), ("TR", 0.15, 0.40), ("DI", 0.42, 0.65)]
)
def test_aerial_shares_are_those_of_the_region(
    example: SynthNetwork, layer: str, low: float, high: float
) -> None:
    """Expect about 50-60 % of distribution, 30 % of transport, under 10 % of collecte (assumptions)."""
    used = example.ways["typelog"].map(lambda code: layer in HOLDS[code].split())
    aerial = example.ways["typ_imp"].isin(["0", "1"])
    share = example.ways[used & aerial].length.sum() / example.ways[used].length.sum()
    assert low <= share <= high


def test_zones_cover_the_area_once_and_hold_their_addresses(network: SynthNetwork) -> None:
    limits = network.zones.geometry
    assert limits.is_valid.all()
    whole = shapely.union_all(list(limits))
    assert limits.area.sum() == pytest.approx(whole.area, rel=1e-9)
    own = limits.iloc[network.addresses["zone"]].reset_index(drop=True)
    assert own.covers(network.addresses.geometry.reset_index(drop=True)).all()


def test_places_and_codes_are_distinct(network: SynthNetwork) -> None:
    points = np.concatenate(
        [shapely.get_coordinates(frame.geometry.to_numpy()) for frame in (network.places, network.addresses)]
    )
    assert len(np.unique(points, axis=0)) == len(points)
    nodes = [*network.places["nd_code"], *network.addresses["nd_code"]]
    assert len(set(nodes)) == len(nodes)
    for codes in (
        network.cables["cb_code"],
        network.boxes["bp_code"],
        network.ways["cm_code"],
        network.premises["code"],
    ):
        assert codes.is_unique


def test_the_same_area_and_seed_give_the_same_network(example_area: Area, example: SynthNetwork) -> None:
    again = synthesise(example_area, seed=1)
    for name in (
        "places",
        "ways",
        "boxes",
        "cables",
        "cable_ways",
        "addresses",
        "premises",
        "zones",
        "sites",
    ):
        assert getattr(again, name).equals(getattr(example, name)), name
    other = synthesise(example_area, seed=2)
    assert not other.places.equals(example.places)


def test_a_tiny_area_is_a_sound_network() -> None:
    network = synthesise(random_area(1, seed=1), seed=1)
    assert len(network.premises) == 1
    assert nx.is_tree(ends(network, "DI", 0))
