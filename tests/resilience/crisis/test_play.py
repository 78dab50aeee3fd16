"""Crises played by hand on a small network: what is down when, who repairs it, what is refused."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from gracethd.network.types import Network
from gracethd.routes.types import Routes
from resilience.crisis import Chances, Played, failed_assets, play
from resilience.losses import index_graph
from resilience.parameters import default_parameters
from resilience.scenarios import FailureRule, Scenario
from resilience.sections import StudyError
from resilience.study import load_study
from tests.resilience.small_network import small_network

Play = Callable[..., Played]

# every repair time is given, so that no parameter decides these cases
CUTS = """
failures = [
  {objects = ["cable:TR1"], repair_h = 4},
  {objects = ["local:LN2"], at_h = 2, repair_h = 10},
]
"""


@pytest.fixture
def network() -> tuple[Network, Routes]:
    """Draw `small_network`, with lines: way W1 on poles, the others in ducts."""
    network, routes = small_network()
    ways = network.assets[network.assets["kind"] == "cheminement"]
    lines = ways[["length_m", "geometry"]].assign(
        asset=ways.index.to_numpy(np.int32), typ_imp=np.where(ways["code"] == "W1", "0", "7"), passage=""
    )
    return replace(network, lines=lines.reset_index(drop=True)), routes


@pytest.fixture
def played(network: tuple[Network, Routes], tmp_path: Path) -> Play:
    """Play the scenario of a text on the small network."""
    (tmp_path / "a.zip").touch()

    def run(text: str, tables: Mapping[str, pd.DataFrame] | None = None, at_h: float | None = None) -> Played:
        path = tmp_path / "etude.toml"
        path.write_text(f'inventory = ["a.zip"]\n[scenarios.essai]\n{text}', encoding="utf-8")
        return play(load_study(path), "essai", *network, tables or {}, day=date(2026, 1, 1), at_h=at_h)

    return run


def crews(*rows: tuple[int, str, float, float]) -> dict[str, pd.DataFrame]:
    """Give the table ressources with crews: number, skill, depot."""
    table = pd.DataFrame(rows, columns=["nombre", "competence", "depot_x", "depot_y"])
    return {"ressources": table.assign(type="equipe")}


def resources(*rows: tuple[str, int, float]) -> dict[str, pd.DataFrame]:
    """Give one crew that drives nowhere, and a stock: type, number, delay."""
    table = pd.DataFrame([("equipe", 1, 0.0), *rows], columns=["type", "nombre", "delai_h"])
    return {"ressources": table.assign(competence="", depot_x=np.nan, depot_y=np.nan)}


def steps(told: Played) -> list[tuple[float, int]]:
    return list(told.curve[["hour", "prises_down"]].itertuples(index=False, name=None))


def test_prises_come_back_as_their_last_object_does(played: Play) -> None:
    """TR1 cuts 15 prises from 0 to 4 h, NRO LN2 its 7 from 2 to 12 h."""
    told = played(CUTS)
    assert steps(told) == [(0, 15), (2, 22), (4, 7), (12, 0)]
    assert told.summary["prises_h"] == 15 * 2 + 22 * 2 + 7 * 8
    assert (told.summary["prises_down_max"], told.summary["hour_of_worst"]) == (22, 2)
    # 22 down: half are back when 11 or fewer are down, 90 % when 2 or fewer are
    assert [told.summary[f"restored_{share}_h"] for share in (50, 90, 99)] == [4, 12, 12]


def test_two_legs_of_a_loop_cut_together_count_once(played: Play) -> None:
    told = played('failures = [{objects = ["cable:CO1", "cable:CO2"], repair_h = 3}]')
    assert steps(told) == [(0, 22), (3, 0)]
    assert steps(played('failures = [{objects = ["cable:CO1"], repair_h = 3}]')) == [(0, 0), (3, 0)]


def test_what_patching_would_serve_is_told_apart(played: Play) -> None:
    """C1 splices both cables of way W2: without it nothing is stranded, DI1 and DI2 still stand there."""
    told = played('failures = [{objects = ["ebp:C1"], repair_h = 5}]')
    assert told.summary["prises_down_max"] == 15
    assert told.summary["patchable_max"] == 15
    cut = played('failures = [{objects = ["cheminement:W2"], repair_h = 5}]')
    assert cut.summary["patchable_max"] == 0


def test_the_situation_is_told_by_area_at_the_hour_that_is_asked(played: Play) -> None:
    told = played(CUTS, at_h=3.0)
    down = told.areas.set_index(["scope", "code"])["prises_down"]
    assert down["pm", "LP1"] == 15
    assert down["pm", "LP2"] == 7
    assert down["commune", "62001"] == 10
    assert told.summary["prises_down_at"] == 22
    later = played(CUTS, at_h=5.0).areas.set_index(["scope", "code"])["prises_down"]
    assert ("pm", "LP1") not in later
    assert later["nro", "LN2"] == 7


def test_prises_without_copper_and_subscribers_are_told_for_the_hour_and_the_day(played: Play) -> None:
    """Copper of 62001, 10 prises behind TR1, closes on 31 January; LP1 has 9 subscribers, LP2 4."""
    tables = {
        "cuivre": pd.DataFrame({"code_insee": ["62001"], "date_fermeture": [pd.Timestamp("2026-01-31")]}),
        "abonnes": pd.DataFrame({"code": ["LP1", "LP2"], "abonnes": [9, 4], "operateur": ["", ""]}),
    }
    told = {}
    for day in ("2026-01-30", "2026-01-31"):
        text = f"start = {day}T08:00:00\n{CUTS}"
        told[day] = [played(text, tables, at_h=hour).summary for hour in (3.0, 5.0)]
    assert [one["prises_sans_cuivre_at"] for one in told["2026-01-30"]] == [0, 0]
    assert [one["prises_sans_cuivre_at"] for one in told["2026-01-31"]] == [10, 0]
    assert [one["abonnes_down_at"] for one in told["2026-01-31"]] == [13, 4]
    assert "abonnes_down_at" not in played(CUTS).summary


def test_sensitive_sites_without_service_are_listed(played: Play) -> None:
    sites = pd.DataFrame(
        {"id": ["S1", "S2"], "type": ["sdis", "eau"], "nom": ["Caserne", ""], "code": ["P4", "P1"]}
    ).assign(x=np.nan, y=np.nan)
    told = played('failures = [{objects = ["cable:DI5"]}]', {"sites_sensibles": sites})
    assert told.sites[["id", "prise", "stranded"]].to_numpy().tolist() == [["S1", "P4", True]]


def test_one_crew_takes_what_serves_most_an_hour_first(played: Play) -> None:
    """15 prises / 5 h beat 7 / 3 h; a depot that is not known costs no time on the road."""
    text = 'order = "prises"\nfailures = [{objects = ["cable:DI5"], repair_h = 3},'
    text += ' {objects = ["cable:TR1"], repair_h = 5}]'
    told = played(text, crews((1, "", np.nan, np.nan)))
    assert told.tasks["code"].tolist() == ["TR1", "DI5"]
    # from TR1 (middle 100, 50) to DI5 (middle 350, 50): 250 m x 1.3 at 40 km/h
    road_h = 250 * 1.3 / 40_000
    assert told.tasks["begin_h"].tolist() == pytest.approx([0, 5 + road_h])
    assert told.summary["prises_h"] == pytest.approx(22 * 5 + 7 * (3 + road_h))
    two = played(text, crews((2, "", np.nan, np.nan)))
    assert two.tasks["begin_h"].tolist() == [0, 0]


def test_collecte_comes_first_by_the_rule_of_that_name(played: Play) -> None:
    text = 'failures = [{objects = ["cable:DI5"], repair_h = 1}, {objects = ["cable:CO3"], repair_h = 9}]'
    assert played(text, crews((1, "", np.nan, np.nan))).tasks["code"].tolist() == ["CO3", "DI5"]
    by_prises = played('order = "prises"\n' + text, crews((1, "", np.nan, np.nan)))
    assert by_prises.tasks["code"].tolist() == ["DI5", "CO3"]


def test_the_nearest_crew_goes_and_the_nearest_task_is_taken(played: Play) -> None:
    text = 'failures = [{objects = ["cable:DI5", "cable:DI3"], repair_h = 2}]'
    told = played(text, crews((1, "", 400.0, 50.0), (1, "", 50.0, 300.0)))
    assert dict(zip(told.tasks["code"], told.tasks["crew"], strict=True)) == {"DI5": 1, "DI3": 2}
    near = played('order = "proximite"\n' + text, crews((1, "", 50.0, 300.0)))
    assert near.tasks["code"].tolist() == ["DI3", "DI5"]


def test_a_task_that_nobody_can_do_is_named(played: Play) -> None:
    told = played(CUTS, crews((3, "nro", np.nan, np.nan)))
    assert told.summary["tasks_without_crew"] == 1
    assert told.tasks.set_index("code")["crew"].to_dict() == {"LN2": 1, "TR1": -1}
    assert told.summary["prises_h"] is None
    assert told.summary["restored_90_h"] is None
    assert steps(told)[-1][1] == 15


ALL_KINDS = 'failures = [{objects = ["cable:TR1", "cheminement:W2", "ptech:AP", "local:LP2"]}]'


def test_each_kind_of_asset_takes_its_own_from_the_stock(played: Play) -> None:
    """TR1 is 100 m long; way W2 (100 m) holds two cables; a pole, and a cabinet for the PM."""
    told = played(ALL_KINDS, resources(("cable_m", 1000, 0), ("poteau", 4, 0), ("armoire", 1, 0)))
    assert told.stock.set_index("stock")[["needed", "in_stock", "taken"]].to_dict("index") == {
        "cable_m": {"needed": 300, "in_stock": 1000, "taken": 300},
        "poteau": {"needed": 1, "in_stock": 4, "taken": 1},
        "armoire": {"needed": 1, "in_stock": 1, "taken": 1},
    }
    assert told.tasks["end_h"].notna().all()


def test_what_is_missing_is_named_and_the_rest_is_done(played: Play) -> None:
    """150 m of cable: TR1 (collecte side first) takes 100, W2 would take 200 and never comes back."""
    told = played(ALL_KINDS, resources(("cable_m", 150, 0)))
    short = told.stock.set_index("stock").loc["cable_m"]
    assert (short["taken"], short["missing_quantity"], short["n_waiting"]) == (100, 200, 1)
    assert told.tasks.set_index("code")["missing"].to_dict() == {
        "TR1": "",
        "LP2": "",
        "AP": "",
        "W2": "cable_m",
    }
    assert told.summary["tasks_without_stock"] == 1
    assert steps(told)[-1][1] == 15


def test_a_task_waits_for_what_is_delivered_later(played: Play) -> None:
    """One pole, after 30 h; the chamber needs none; the work on each takes 2 h."""
    text = 'failures = [{objects = ["ptech:AP", "ptech:CH"], repair_h = 2}]'
    told = played(text, resources(("poteau", 0, 0.0), ("poteau", 1, 30.0))).tasks.set_index("code")
    assert told["end_h"].round(1).to_dict() == {"CH": 2, "AP": 32}


def test_crews_that_come_later_work_later(played: Play) -> None:
    table = resources()["ressources"].assign(delai_h=5.0)
    told = played('failures = [{objects = ["cable:TR1"], repair_h = 4}]', {"ressources": table})
    assert steps(told) == [(0, 15), (9, 0)]


def test_a_generator_saves_an_nro_and_serves_again_once_the_mains_are_back(played: Play) -> None:
    """LN2 lasts 4 h from 0 to 10 h without mains, then SN1's zone from 12 to 30 h; installed in 2 h.

    The one generator holds LN2 from 0 (before its batteries are empty), is free again at 10 h, and is at N1
    at 14 h: nobody is ever down. Without it LN2 (7) falls at 4 h, then N1 (22) at 16 h.
    """
    zone = pd.DataFrame({"kind": ["local", "local"], "code": ["LN1", "LN2"], "zone_elec": ["Z1", "Z2"]})
    equipment = {"equipements": zone.assign(hauteur_m=np.nan, autonomie_h=np.nan, groupe="")}
    text = 'outages = [{zone_elec = "Z2", hours = 10}, {zone_elec = "Z1", at_h = 12, hours = 18}]'
    with_one = played(text, {**equipment, **resources(("groupe", 1, 0))})
    assert set(with_one.curve["prises_down"]) == {0}
    assert with_one.tasks["code"].tolist() == ["LN2", "LN1"]
    assert with_one.tasks["begin_h"].round(1).tolist() == [0, 12]
    none = played(text, {**equipment, **resources(("groupe", 0, 0))})
    assert steps(none) == [(0, 0), (4, 7), (10, 0), (16, 22), (30, 0)]
    assert none.stock.set_index("stock").loc["groupe", "missing_quantity"] == 2
    # a table that does not speak of generators sends none, and misses none
    assert played(text, {**equipment, **resources()}).tasks.empty


def test_drawn_hours_put_bands_on_the_curve(played: Play) -> None:
    """W1 is aerial: 4 to 24 h or so by the parameters; TR1's hours are given, and certain."""
    text = "draws = 60\nfailures = [{objects = ['cheminement:W1']}]"
    told, again = played(text), played(text)
    pd.testing.assert_frame_equal(told.bands, again.bands)
    low, high = (default_parameters().at("way.aerial.repair_h", level) for level in ("low", "high"))  # type: ignore[arg-type]
    lost = told.totals.set_index("measure").loc["prises_h"]
    assert 15 * low < lost["p05"] < lost["p50"] < lost["p95"] < 15 * high
    names = ["prises_down_p05", "prises_down_p50", "prises_down_p95"]
    assert (told.bands[names].diff(axis=1).iloc[:, 1:] >= 0).all(axis=None)
    certain = played("draws = 5\nfailures = [{objects = ['cable:TR1'], repair_h = 4}]")
    assert certain.totals.set_index("measure").loc["prises_h"].tolist() == [60, 60, 60]
    assert played("failures = [{objects = ['cable:TR1']}]").bands.empty


def test_a_room_waits_for_parts_before_a_crew_works(played: Play) -> None:
    """A PM destroyed is back after 168 h, of which the last 32 are work."""
    (task,) = played('failures = [{objects = ["local:LP1"]}]').tasks.to_dict("records")
    assert (task["ready_h"], task["begin_h"], task["end_h"]) == (136, 136, 168)


def test_hours_of_repair_follow_what_fails(played: Play) -> None:
    names = ["ptech:AP", "ebp:B1", "cheminement:W1", "cheminement:W2"]
    told = played(f"failures = [{{objects = {names}}}]").tasks.set_index("code")["end_h"]
    assert told.to_dict() == {"AP": 1.6, "B1": 9, "W1": 8, "W2": 12}


def test_nobody_works_where_water_stands(played: Play, tmp_path: Path) -> None:
    area = gpd.GeoDataFrame(geometry=[shapely.box(90, 0, 110, 90)], crs="EPSG:2154")  # over TR1, not DI5
    area.to_file(tmp_path / "eau.gpkg")
    told = played(
        'failures = [{objects = ["cable:TR1", "cable:DI5"], repair_h = 2}]\n'
        'no_access = [{polygon = "eau.gpkg", until_h = 30}]'
    )
    assert told.tasks.set_index("code")["end_h"].to_dict() == {"DI5": 2, "TR1": 32}


def test_an_nro_falls_when_its_batteries_are_empty_and_comes_back_with_the_mains(played: Play) -> None:
    """LN2 (7 prises) lasts 4 h: an outage of 6 h cuts it from 4 to 6 h, one of 3 h does nothing."""
    zone = pd.DataFrame({"kind": ["site", "local"], "code": ["SN1", "LN2"], "zone_elec": ["Z1", "Z2"]})
    equipment = {"equipements": zone.assign(hauteur_m=np.nan, autonomie_h=np.nan, groupe="")}
    told = played('outages = [{zone_elec = "Z2", at_h = 1, hours = 6}]', equipment)
    assert steps(told) == [(0, 0), (5, 7), (7, 0)]
    assert told.tasks.empty
    assert told.waiting["code"].tolist() == ["LN2"]
    assert steps(played('outages = [{zone_elec = "Z2", hours = 3}]', equipment)) == [(0, 0)]
    # the room of a site stands in the zone of the site, and carries the lines of the NRO behind it
    assert steps(played('outages = [{zone_elec = "Z1", hours = 5}]', equipment)) == [(0, 0), (4, 22), (5, 0)]


def test_a_share_of_a_selection_is_drawn_and_a_larger_one_holds_it(played: Play) -> None:
    def failed(share: float) -> set[str]:
        told = played(f'failures = [{{kind = "cable", segment = "distribution", share = {share}}}]')
        return set(told.tasks["code"])

    assert len(failed(0.4)) == 2  # of DI1 to DI5
    assert failed(0.4) < failed(0.8) < failed(1.0) == {"DI1", "DI2", "DI3", "DI4", "DI5"}
    assert failed(0.4) == failed(0.4)


def test_a_selection_keeps_what_fits_all_of_it(played: Play, tmp_path: Path) -> None:
    gpd.GeoDataFrame(geometry=[shapely.box(-10, -10, 110, 110)], crs="EPSG:2154").to_file(tmp_path / "z.gpkg")
    told = played('failures = [{kind = "cheminement", polygon = "z.gpkg", mounting = "aerien"}]')
    assert told.tasks["code"].tolist() == ["W1"]


def test_a_selection_by_owner_takes_what_is_his_and_names_the_owners_known(
    network: tuple[Network, Routes],
) -> None:
    """A code stands for one object of its kind only: chamber CH is O1's, way CH would be another object."""
    net, routes = network
    owners = pd.DataFrame(
        [("cheminement", "W1", "O1"), ("cheminement", "W2", "O2"), ("ptech", "CH", "O1"),
         ("cheminement", "CH", "O2")], columns=["kind", "code", "owner"],
    )  # fmt: skip
    graph = routes.nominal
    chances = Chances(graph, index_graph(graph, graph.prises[:, None]), pd.DataFrame(), seed=1, draws=1)

    def failed(owners: pd.DataFrame | None, **selection: str) -> list[str]:
        crisis = Scenario("x", "x", failures=(FailureRule(**selection),))  # type: ignore[arg-type]
        out = failed_assets(crisis, net, {}, default_parameters(), chances, owners)
        return net.assets["code"].iloc[out["asset"]].tolist()

    assert failed(owners, owner="O1") == ["W1", "CH"]
    assert failed(owners, owner="O2") == ["W2"]
    assert failed(owners, owner="O1", kind="ptech") == ["CH"]
    with pytest.raises(StudyError, match=r"failures\[0\]: nothing .* owner 'O3'; known: 'O1', 'O2'"):
        failed(owners, owner="O3")
    with pytest.raises(StudyError, match="the inventory tells no owner of anything"):
        failed(None, owner="O1")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            'failures = [{objects = ["cable:TR9"]}]',
            r"failures\[0\]: no object 'cable:TR9'.*the nearest codes are cable:TR2",
        ),
        ('failures = [{objects = ["ouvrage:X"]}]', "nothing of the kind of 'ouvrage:X'"),
        ('failures = [{hazard = "crue", event = "Q20"}]', "no event 'Q20' of a hazard 'crue'; events: none"),
        ('failures = [{kind = "conduite"}]', "no object of the network fits this selection"),
        ('failures = [{commune = "62001"}]', "give their areas in"),
        ('outages = [{zone_elec = "Z1", hours = 2}]', "power zone 'Z1'; name"),
    ],
)
def test_what_is_not_there_is_said(played: Play, text: str, message: str) -> None:
    with pytest.raises(StudyError, match=message):
        played(text)


def test_a_crew_of_an_unknown_skill_is_refused(played: Play) -> None:
    with pytest.raises(StudyError, match=r"competence 'lignes' of a crew; did you mean 'ligne'"):
        played(CUTS, crews((1, "lignes", np.nan, np.nan)))


def test_a_drawn_state_stands_at_its_quantile_of_prises_hours(network: tuple[Network, Routes]) -> None:
    """NRO LN2 (7 prises, 2 h) and PM LP1 (15, 10 h) fail each with 1/2: 0, 14, 150 or 164 prises·h."""
    net, routes = network
    assets = net.assets
    ln2, lp1 = (int(np.flatnonzero(assets["code"] == code)[0]) for code in ("LN2", "LP1"))
    failures = pd.DataFrame(
        {"asset": [ln2, lp1], "hazard": "crue", "scenario": "Q20", "return_period": 20.0,
         "mechanism": "x", "p": 0.5, "repair_h": [2.0, 10.0]}
    )  # fmt: skip
    graph = routes.nominal
    chances = Chances(graph, index_graph(graph, graph.prises[:, None]), failures, seed=1, draws=400)

    def state(quantile: float) -> set[str]:
        rule = FailureRule(hazard="crue", event="Q20", quantile=quantile, at_h=3.0)
        out = failed_assets(Scenario("x", "x", failures=(rule,)), net, {}, default_parameters(), chances)
        assert (out["failed_at_h"] == 3).all()
        return set(assets["code"].iloc[out["asset"]])

    assert state(1.0) == {"LN2", "LP1"}
    assert state(0.1) == set()  # in a quarter of the draws nothing fails
    assert state(0.4) == {"LN2"}
    assert state(0.6) == {"LP1"}
