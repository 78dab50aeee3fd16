"""Measures on a small network, by hand: what is proposed, what it costs, what it changes."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import rasterio
import shapely

from gracethd.network.types import Network
from gracethd.routes.types import Routes
from resilience.choice import sampled_model
from resilience.fragility import failure_probabilities
from resilience.ground import build_ground
from resilience.hazards import Hazard, HazardEvent
from resilience.loss import Sampling, network_loss
from resilience.measures import (
    Candidates,
    Situation,
    Surroundings,
    apply,
    own_drafts,
    present_cost,
    propose,
    situations,
)
from resilience.measures.catalogue import OWN, WORKS, works_of
from resilience.measures.effects import priority_of
from resilience.parameters import LEVELS, Level, default_parameters, replace_parameters
from resilience.rates import annual_rates
from resilience.roads import road_graph
from resilience.second_path import FirstPath, second_path
from resilience.tables import SCHEMAS, StudyError, read_table
from tests.resilience.service_graphs import service_graph

PARAMETERS = default_parameters()
EVENTS = {"Q20": 20.0, "Q100": 100.0}
PLACES = {"NDN": (0.0, 0.0), "NDC": (1000.0, 0.0), "NDP": (1500.0, 0.0), "NDQ": (1000.0, 500.0)}
WAYS = {"W0": ("7", "NDN", "NDC"), "W1": ("0", "NDC", "NDP"), "W2": ("7", "NDC", "NDQ")}
POINTS = [("local", "NRO", "NRO", "NDN"), ("local", "PMP", "PM", "NDP"), ("local", "PMQ", "PM", "NDQ"),
          ("ebp", "BOX", "BPE", "NDC"), ("ptech", "PT", "appui", "NDC")]  # fmt: skip


@dataclass(frozen=True)
class Case:
    """A network and what is known around it."""

    network: Network
    routes: Routes
    spof: pd.DataFrame
    exposure: pd.DataFrame
    today: dict[Level, Situation]

    def asset(self, code: str) -> int:
        """Give the number of an asset."""
        return int(np.flatnonzero(self.network.assets["code"] == code)[0])

    def proposed(self, *, with_roads: bool = True) -> Candidates:
        """Propose measures at the default parameters."""
        around = Surroundings(dict.fromkeys(LEVELS, self.exposure), roads=roads() if with_roads else None)
        return propose(self.network, self.routes, self.spof, self.today, PARAMETERS, around)


def roads() -> "object":
    """One road: 400 m down from the NRO, 1,500 m along, 400 m up to P."""
    line = shapely.LineString([(0, 0), (0, -400), (1500, -400), (1500, 0)])
    return road_graph(gpd.GeoDataFrame({"highway": ["residential"]}, geometry=[line], crs=2154))


def _network() -> Network:
    rows = [("noeud", code, "", code, shapely.Point(xy)) for code, xy in PLACES.items()]
    rows += [(kind, code, nature, node, shapely.Point(PLACES[node])) for kind, code, nature, node in POINTS]
    lines = {code: shapely.LineString([PLACES[a], PLACES[b]]) for code, (_, a, b) in WAYS.items()}
    rows += [("cheminement", code, "", "", line) for code, line in lines.items()]
    columns = ["kind", "code", "nature", "nd_code", "geometry"]
    table = (
        pd.DataFrame(rows, columns=columns)
        .sort_values(["kind", "code"], ignore_index=True)
        .assign(libelle="", segment="transport")
    )
    assets = gpd.GeoDataFrame(table, geometry="geometry", crs=2154)
    number = {code: i for i, code in enumerate(assets["code"])}
    drawn = gpd.GeoDataFrame(
        {"asset": [number[w] for w in WAYS], "typ_imp": [t for t, _, _ in WAYS.values()]},
        geometry=list(lines.values()), crs=2154,
    )  # fmt: skip
    drawn["length_m"] = drawn.length
    pairs = [(number[w], number[end]) for w, (_, a, b) in WAYS.items() for end in (a, b)]
    pairs += [(number[node], number[code]) for _, code, _, node in POINTS]
    empty = pd.DataFrame()
    links = pd.DataFrame(pairs, columns=["a", "b"])
    return Network(assets, drawn, empty, empty, empty, empty, links, empty)


@pytest.fixture(scope="module")
def case() -> Case:
    r"""Two cabinets on one trunk; the branch to P is aerial; P stands in 0.75 m (Q20) and 1.20 m (Q100).

    NRO ===W0 1000 m=== C(box) ---W1 500 m, aerial--- P (300)
                        \==W2 500 m== Q (500)
    """
    network = _network()
    number = {code: i for i, code in enumerate(network.assets["code"])}
    at = {1: ("NDN", "NRO"), 2: ("NDC", "BOX", "PT"), 3: ("NDP", "PMP"), 4: ("NDQ", "PMQ")}
    graph = service_graph(
        [(0, 1), (1, 2), (2, 3), (2, 4)], [0, 0, 0, 300, 500], n_assets=len(number),
        vertex_links=[(number[code], v) for v, codes in at.items() for code in codes],
        edge_links=[(number[w], e) for e, w in enumerate(WAYS, start=1)],
    )  # fmt: skip
    rooms = pd.DataFrame(
        {
            "code": ["NRO", "PMP", "PMQ"],
            "nature": ["NRO", "PM", "PM"],
            "nro": ["", "NRO", "NRO"],
            "vertex_nominal": [1, 3, 4],
        }
    )
    rooms["asset"] = rooms["code"].map(number)
    empty = pd.DataFrame()
    feeds = pd.DataFrame({"feed": ["NRO"], "kind": ["local"], "source": ["nro"]})
    routes = Routes(graph, graph, empty, rooms, feeds, empty, {}, empty)
    serie = {"W1": "S1", "PT": "S1", "W0": "S0", "W2": "S2"}
    spof = network.assets[["kind", "code"]].assign(commune="62001", epci="E", criticite=np.nan)
    spof["serie"] = spof["code"].map(serie).fillna("")
    spof.loc[spof["code"] == "W1", "criticite"] = 12.0
    depth = {"Q20": 0.75, "Q100": 1.2}
    exposure = pd.concat(
        [
            pd.DataFrame(
                {
                    "asset": np.arange(len(number), dtype=np.int32),
                    "hazard": "crue",
                    "scenario": name,
                    "return_period": years,
                    "intensity_max": np.where(network.assets["code"] == "PMP", depth[name], 0.0),
                    "wet_m": 0.0,
                }
            )
            for name, years in EVENTS.items()
        ]
    )  # fmt: skip
    failures = {level: failure_probabilities(network, exposure, PARAMETERS, level) for level in LEVELS}
    rates = {level: annual_rates(network, PARAMETERS, level) for level in LEVELS}
    return Case(network, routes, spof, exposure, situations(network, routes, failures, rates))


def of(candidates: Candidates, mesure: str, objet: str) -> pd.Series:
    table = candidates.measures
    return table[(table["mesure"] == mesure) & table["objets"].str.contains(objet)].iloc[0]


def test_the_families_are_proposed_where_the_network_is_exposed(case: Case) -> None:
    measures = case.proposed().measures
    assert sorted(zip(measures["mesure"], measures["objets"], strict=True)) == [
        ("contrat_intervention", "collecte, transport"),
        ("detection_incendie_nro", "NRO"),
        ("elagage", "E"),
        ("enfouissement", "W1"),
        ("extinction_incendie_nro", "NRO"),
        ("lot_secours_pm", "PM"),
        ("nro_mobile", "NRO"),
        ("protection_pm", "PMP"),
        ("protection_pm", "PMQ"),
        ("rehausse_pm", "PMP"),
        ("second_chemin_pm", "PMP, NRO"),  # no road comes near Q
    ]
    assert set(measures["famille"]) == {"BOUCLAGE", "SECURISATION_SITE", "ENFOUISSEMENT", "AUTRE"}
    assert measures["action_id"].is_monotonic_increasing
    assert set(measures["commune"]) == {"62001"}


def test_costs_lengths_and_prises_by_hand(case: Case) -> None:
    candidates = case.proposed()
    bury = of(candidates, "enfouissement", "W1")
    assert bury[["cost_eur_low", "cost_eur_central", "cost_eur_high"]].tolist() == [25_000, 45_000, 80_000]
    assert (bury["longueur_m"], bury["prises_secured"], bury["criticite"]) == (500, 300, 12)
    assert (bury["duree_mois"], bury["annee_prix"], bury["statut"]) == (10, 2024, "proposé")
    path = of(candidates, "second_chemin_pm", "PMP")
    assert path["longueur_m"] == pytest.approx(2300)
    assert path["cost_eur_central"] == pytest.approx(2300 * (110 + 6 + 1000 / 300) + 2 * 5000)
    assert path["cost_eur_low"] == pytest.approx(2300 * (70 + 3 + 600 / 500) + 2 * 2000)
    assert path["prises_secured"] == 300
    assert path[["fourreau_m", "accotement_m", "centre_m"]].tolist() == [0, 0, 0]
    assert path["chaussee_m"] == pytest.approx(2300)
    # 40 years, 1 % of upkeep a year from the second on, 3.2 %
    upkeep = sum(0.01 * 1.032**-year for year in range(1, 40))
    assert path["cout_vie_eur"] == pytest.approx(path["cost_eur_central"] * (1 + upkeep))
    quench, detect = (of(candidates, f"{what}_incendie_nro", "NRO") for what in ("extinction", "detection"))
    assert quench["exige"] == detect["action_id"]
    assert (detect["exige"], detect["exclut"]) == ("", "")
    assert of(candidates, "detection_incendie_nro", "NRO")["prises_secured"] == 800
    assert of(candidates, "rehausse_pm", "PMP")["cost_eur_high"] == 45_000


def test_a_raised_cabinet_fails_by_its_curve_moved_up_once(case: Case) -> None:
    candidates = case.proposed()
    rows = candidates.failures["central"]
    rows = rows[rows["measure"] == of(candidates, "rehausse_pm", "PMP").name]
    assert rows["asset"].unique().tolist() == [case.asset("PMP")]
    # 0.75 m and 1.20 m less 0.60 m: 0.15 m is under the curve, 0.60 m is 0.15 + 0.45 x 0.1 / 0.5
    assert rows.set_index("scenario")["p"].to_dict() == pytest.approx({"Q20": 0.0, "Q100": 0.24})


def test_buried_lines_swap_aerial_cuts_for_dig_ups(case: Case) -> None:
    candidates = case.proposed()
    rates = candidates.rates["central"]
    rows = rates[rates["measure"] == of(candidates, "enfouissement", "W1").name].set_index("mechanism")
    assert rows["rate_per_year"].to_dict() == pytest.approx({"aerial_cut": 0.0, "dig_up": 0.00213 * 0.5})
    after = apply(
        case.today["central"], candidates, [of(candidates, "enfouissement", "W1").name], "central"
    ).rates
    assert set(
        after.loc[(after["asset"] == case.asset("W1")) & (after["rate_per_year"] > 0), "mechanism"]
    ) == {"dig_up"}


def test_buried_lines_are_sheared_in_clay_where_a_map_shows_it(case: Case) -> None:
    """W1, 500 m in strong clay (0.03 per km and year, 48 h): buried, it gains what clay and diggers take.

    Hours a year x 300 prises: aerial 0.0045 x 0.5 x 8 = 0.018, buried 0.00213 x 0.5 x 12 + 0.03 x 0.5 x 48 =
    0.73278: burying there costs 214 prises·h a year more than it avoids. The network's own losses say so.
    """
    w1 = case.asset("W1")
    clay = case.exposure[case.exposure["scenario"] == "Q20"].assign(
        hazard="argiles", scenario="argiles", return_period=np.nan, hazard_kind="clay",
        intensity_max=np.where(case.exposure["asset"][:len(case.network.assets)] == w1, 3.0, 0.0),
    )  # fmt: skip
    clay["wet_m"] = np.where(clay["asset"] == w1, 500.0, 0.0)
    dry = case.exposure.assign(intensity_max=0.0, hazard_kind="flood_depth")
    exposure = dict.fromkeys(LEVELS, pd.concat([dry, clay], ignore_index=True).assign(length_m=500.0))
    failures = {
        level: failure_probabilities(case.network, rows, PARAMETERS, level)
        for level, rows in exposure.items()
    }
    rates = {
        level: annual_rates(case.network, PARAMETERS, level, exposure=rows)
        for level, rows in exposure.items()
    }
    today = situations(case.network, case.routes, failures, rates)
    candidates = propose(case.network, case.routes, case.spof, today, PARAMETERS, Surroundings(exposure))
    bury = of(candidates, "enfouissement", "W1").name
    rows = candidates.rates["central"].query("measure == @bury").set_index("mechanism")
    assert rows["rate_per_year"].to_dict() == pytest.approx(
        {"aerial_cut": 0.0, "clay": 0.03 * 0.5, "dig_up": 0.00213 * 0.5}
    )
    before, after = today["central"], apply(today["central"], candidates, [bury], "central")
    losses = [
        network_loss(s.graph, s.failures, s.rates, asset_keys=s.asset_keys, seed=1, draws=2)
        for s in (before, after)
    ]
    gain = losses[0]["prises_h_per_year"].sum() - losses[1]["prises_h_per_year"].sum()
    assert gain == pytest.approx(300 * (0.0045 * 0.5 * 8 - 0.00213 * 0.5 * 12 - 0.03 * 0.5 * 48))
    assert avoided(before, candidates, 2)(bury) == pytest.approx(gain)


def test_works_against_a_fire_combine_each_on_what_the_other_leaves(case: Case) -> None:
    """800 prises behind an NRO that burns once in 1,000 years for 72 h: 57.6 prises·h a year."""
    candidates, today = case.proposed(), case.today["central"]
    number = {row["mesure"]: i for i, row in candidates.measures.iterrows()}
    detect, quench, mobile = (
        number[name] for name in ("detection_incendie_nro", "extinction_incendie_nro", "nro_mobile")
    )
    assert (quench, detect) in [tuple(pair) for pair in candidates.requirements.tolist()]
    assert not {frozenset((detect, quench)), frozenset((detect, mobile))} & {
        frozenset(pair) for pair in candidates.exclusions.tolist()
    }

    def fire(*chosen: int) -> float:
        rates = apply(today, candidates, chosen, "central").rates.set_index("mechanism").loc["nro_fire"]
        return float(800 * rates["rate_per_year"] * rates["repair_h"])

    assert [fire(), fire(detect), fire(quench), fire(mobile)] == pytest.approx([57.6, 28.8, 28.8, 38.4])
    # half as often, half as long; and a mobile NRO after 48 of the 72 h, two thirds of what is left
    assert fire(detect, quench) == pytest.approx(14.4)
    assert fire(detect, quench, mobile) == pytest.approx(9.6)
    assert candidates.measures["objets"].iloc[mobile] == "NRO"
    # the model that works are chosen on says the same of any of them together
    avoids = avoided(today, candidates, 10)
    for chosen in ((detect,), (quench,), (mobile,), (detect, quench), (detect, quench, mobile)):
        assert avoids(*chosen) == pytest.approx(57.6 - fire(*chosen))


def test_an_nro_that_loses_its_mains_gets_batteries_a_generator_or_an_inlet(case: Case) -> None:
    """Cut for 10 h beyond its batteries: 4 h more of them, a start in nine of ten, a mobile one after 8 h."""
    rows = (
        case.today["central"]
        .failures.iloc[:1]
        .assign(asset=case.asset("NRO"), mechanism="nro.power", p=1.0, repair_h=10.0)
    )
    today = {
        level: Situation(s.graph, s.asset_keys, pd.concat([s.failures, rows], ignore_index=True), s.rates)
        for level, s in case.today.items()
    }
    around = Surroundings(dict.fromkeys(LEVELS, case.exposure))
    candidates = propose(case.network, case.routes, case.spof, today, PARAMETERS, around)
    number = {row["mesure"]: i for i, row in candidates.measures.iterrows()}
    left = candidates.failures["central"].set_index(["measure", "mechanism"])[["p", "repair_h"]]
    works = ("batteries_nro", "groupe_nro", "prise_groupe_nro", "priorite_nro")
    told = [left.loc[number[name], "nro.power"].tolist() for name in works]
    assert told == [pytest.approx(one) for one in ([1.0, 6.0], [0.1, 10.0], [1.0, 8.0], [0.5, 10.0])]
    without = case.proposed().measures["mesure"]
    assert not set(works) & set(without), "nothing of the kind where no power cut is studied"


def test_contracts_and_spares_shorten_or_thin_out_what_they_cover(case: Case) -> None:
    """1.5 km of transport underground and 0.5 km in the air; two cabinets on one spare."""
    candidates = case.proposed()
    before = case.today["central"].rates.set_index(["asset", "mechanism"])
    rates = candidates.rates["central"]

    def told(mesure: str, objects: str) -> tuple[pd.Series, pd.DataFrame]:
        row = of(candidates, mesure, objects)
        after = rates[rates["measure"] == row.name].set_index(["asset", "mechanism"])
        return row, after.join(before.add_suffix("_before"))

    contract, rows = told("contrat_intervention", "collecte")
    assert (rows["repair_h"] / rows["repair_h_before"]).tolist() == pytest.approx([0.75] * 3)
    assert rows["rate_per_year"].equals(rows["rate_per_year_before"])
    # 2 km at 100 euros a year, ten years, 3.2 %
    years = (1 - 1.032**-10) / (1 - 1 / 1.032)
    assert contract["cost_eur_central"] == pytest.approx(2 * 100 * years)
    assert (contract["prises_secured"], contract["longueur_m"], contract["duree_mois"]) == (800, 2000, 3)
    assert contract["duree_vie_ans"] == 10
    assert contract["cout_vie_eur"] == contract["cost_eur_central"]  # it is the price of all its years

    pruning, rows = told("elagage", "E")
    assert rows.reset_index()[["asset", "mechanism"]].to_numpy().tolist() == [
        [case.asset("W1"), "aerial_cut"]
    ]
    assert (rows["rate_per_year"] / rows["rate_per_year_before"]).tolist() == pytest.approx([0.9])
    assert pruning["cost_eur_central"] == pytest.approx(500 * 3 * sum(1.032**-year for year in (0, 3, 6, 9)))

    spare, rows = told("lot_secours_pm", "PM")
    assert (rows["repair_h"] / rows["repair_h_before"]).tolist() == pytest.approx([0.7, 0.7])
    assert spare["libelle"] == "Tenir prête une armoire de secours pour 2 PM"
    # bollards and a spare cabinet together: half as often, seven tenths as long
    bollards = of(candidates, "protection_pm", "PMP").name
    both = apply(case.today["central"], candidates, [int(str(bollards)), int(str(spare.name))], "central")
    both_rates = both.rates.set_index(["asset", "mechanism"]).loc[(case.asset("PMP"), "pm_destroyed")]
    today = before.loc[(case.asset("PMP"), "pm_destroyed")]
    assert both_rates["rate_per_year"] == pytest.approx(0.5 * today["rate_per_year"])
    assert both_rates["repair_h"] == pytest.approx(0.7 * today["repair_h"])


OPTIONS = "mesure;libelle;objets;cost_eur_low;cost_eur_central;cost_eur_high;mecanisme;facteur\n"


def options(tmp_path: Path, *rows: str) -> pd.DataFrame:
    path = tmp_path / "options.csv"
    path.write_text(OPTIONS + "".join(f"{row}\n" for row in rows), encoding="utf-8")
    return read_table(path, "options")


def test_works_of_the_study_stand_in_place_of_those_proposed_on_the_same_objects(
    case: Case, tmp_path: Path
) -> None:
    told = options(
        tmp_path,
        "protection_pm;;local:PMP;;900;1200;;",
        ";Élaguer la branche;cheminement:W1;50;100;200;aerial_cut;0,25",
        "enfouissement;;cheminement:W1, ptech:PT;;70000;;;",
    )
    around = Surroundings(dict.fromkeys(LEVELS, case.exposure), roads=roads())
    own = own_drafts(told, case.network)
    candidates = propose(case.network, case.routes, case.spof, case.today, PARAMETERS, around, own=own)
    table = candidates.measures
    # as many works as without the table, and the one that no rule proposes
    assert len(table) == len(case.proposed().measures) + 1
    bollards = of(candidates, "protection_pm", "PMP")
    assert bollards["action_id"] == of(case.proposed(), "protection_pm", "PMP")["action_id"]
    assert bollards[["cost_eur_low", "cost_eur_central", "cost_eur_high"]].tolist() == [900, 900, 1200]
    burying = of(candidates, "enfouissement", "W1")
    assert (burying["libelle"], burying["longueur_m"]) == ("Enfouir W1 (500 m)", 500.0)

    pruning = int(np.flatnonzero(table["mesure"] == "option")[0])
    assert table.loc[pruning, ["libelle", "prises_secured"]].tolist() == ["Élaguer la branche", 300]
    assert table.geometry.iloc[pruning].length == 500.0

    def cuts(chosen: list[int]) -> float:
        rates = apply(case.today["central"], candidates, chosen, "central").rates
        return float(rates.loc[rates["mechanism"] == "aerial_cut", "rate_per_year"].sum())

    assert cuts([pruning]) == pytest.approx(0.25 * cuts([]))
    bury = int(np.flatnonzero(table["mesure"] == "enfouissement")[0])
    assert [min(pruning, bury), max(pruning, bury)] in candidates.exclusions.tolist()


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ("protection_pm;;local:PMX;;900;;;", "line 2, column objets: no object 'local:PMX'"),
        ("protection_pm;;local:NRO;;900;;;", "line 2, column objets: protection_pm is done to one PM"),
        ("enfouissement;;cheminement:W0;;900;;;", "line 2, column objets: enfouissement is done to"),
        ("enfouissement;;cheminement:W1,local:NRO;;9;;;", "line 2, column objets: only boxes"),
        ("protection_pm;;local:PMP;950;900;;;", "line 2, column cost_eur_central: prices rise"),
        ("protection_pm;;local:PMP;;-1;;;", "line 2, column cost_eur_central: prices rise"),
        ("protection_pm;;local:PMP;;900;;pm_destroyed;0,5", "line 2, column mecanisme: works with a mesure"),
        (";Élaguer;;;900;;aerial_cut;0,5", "line 2, column objets: a value is needed"),
        (";Élaguer;cheminement:W1;;900;;aerial_cut;", "line 2: mesure or libelle and mecanisme and facteur"),
        (";Élaguer;cheminement:W1;;900;;aerial_cuts;0,5", "line 2, column mecanisme: 'aerial_cuts'"),
        ("protection;;local:PMP;;900;;;", "line 2, column mesure: 'protection'"),
    ],
)
def test_an_option_that_cannot_be_done_is_refused_with_its_line_and_column(
    case: Case, tmp_path: Path, row: str, told: str
) -> None:
    with pytest.raises(StudyError) as refused:
        own_drafts(options(tmp_path, row), case.network)
    assert told in str(refused.value)


def test_two_lines_cannot_do_the_same_to_one_object(case: Case, tmp_path: Path) -> None:
    twice = options(tmp_path, "protection_pm;;local:PMP;;900;;;", "protection_pm;;local:PMP;;950;;;")
    with pytest.raises(StudyError, match="line 3, column objets: line 2 already does this"):
        own_drafts(twice, case.network)


def test_options_of_a_geopackage_are_drawn_as_its_layer_has_them(case: Case, tmp_path: Path) -> None:
    path = tmp_path / "options.gpkg"
    row = {"mesure": ["rehausse_pm"], "objets": ["local:PMP"], "cost_eur_central": [15_000.0]}
    shape = shapely.LineString([(1500, 0), (1500, 30)])
    gpd.GeoDataFrame(row, geometry=[shape], crs=2154).to_file(path, layer="options")
    (draft,) = own_drafts(read_table(path, "options"), case.network)
    assert draft.geometry == shape
    assert (draft.length_m, draft.cost_eur["high"]) == (30.0, 15_000.0)


def avoided(today: Situation, candidates: Candidates, draws: int) -> Callable[..., float]:
    """Give what any measures avoid together, by the sampled model."""
    model = sampled_model(today, candidates, "central", Sampling(1, draws=draws))
    return lambda *numbers: model.value(np.isin(np.arange(model.n_options), numbers))


def test_what_each_measure_avoids_by_hand(case: Case) -> None:
    """Rates only, so exact: hours a year x prises. The second path saves P and not Q."""
    dry = {
        level: Situation(s.graph, s.asset_keys, s.failures.assign(p=0.0), s.rates)
        for level, s in case.today.items()
    }
    around = Surroundings(dict.fromkeys(LEVELS, case.exposure.assign(intensity_max=0.0)), roads=roads())
    candidates = propose(case.network, case.routes, case.spof, dry, PARAMETERS, around)
    today = dry["central"]
    avoids = avoided(today, candidates, 10)
    number = {(row["mesure"], row["objets"][:3]): i for i, row in candidates.measures.iterrows()}
    trunk_h, branch_h, buried_h = 0.00213 * 12, 0.0045 * 0.5 * 8, 0.00213 * 0.5 * 12
    loop, bury = number["second_chemin_pm", "PMP"], number["enfouissement", "W1"]
    assert avoids(loop) == pytest.approx(300 * (trunk_h + branch_h))
    assert avoids(bury) == pytest.approx(300 * (branch_h - buried_h))
    assert avoids(loop, bury) == pytest.approx(300 * (trunk_h + branch_h))  # buried in vain
    assert avoids(number["detection_incendie_nro", "NRO"]) == pytest.approx(800 * 0.001 * 0.5 * 72)
    assert avoids(number["protection_pm", "PMQ"]) == pytest.approx(500 * 0.0035 * 0.5 * 168)


def test_without_roads_and_free_ducts_there_is_no_second_path(case: Case) -> None:
    mesures = set(case.proposed(with_roads=False).measures["mesure"])
    assert not {name for name in mesures if name.startswith("second_chemin")}


def test_names_do_not_depend_on_the_order_of_rows(case: Case) -> None:
    other = Case(case.network, case.routes, case.spof.iloc[::-1], case.exposure, case.today)
    assert other.proposed().measures["action_id"].tolist() == case.proposed().measures["action_id"].tolist()


def test_only_the_most_exposed_are_kept_and_the_others_are_counted(case: Case) -> None:
    around = Surroundings(dict.fromkeys(LEVELS, case.exposure), roads=roads())
    few = propose(case.network, case.routes, case.spof, case.today, PARAMETERS, around, most=1)
    assert few.omitted == {"protection_pm": 1, "second_chemin_pm": 1}
    assert (few.measures["mesure"] == "protection_pm").sum() == 1


def test_what_is_given_stays_as_it_was(case: Case) -> None:
    before = (
        case.network.assets.copy(deep=True),
        case.spof.copy(deep=True),
        case.today["low"].rates.copy(deep=True),
    )
    case.proposed()
    assert case.network.assets.equals(before[0])
    assert case.spof.equals(before[1])
    assert case.today["low"].rates.equals(before[2])


@pytest.mark.parametrize(
    ("cost", "every", "upkeep", "upkeep_every", "present"),
    [(1000, 10, 200, 3, 2704.437935), (1000, 8, 100, 2, 3053.742434)],
)
def test_present_costs_are_those_of_ra2ce(
    cost: float, every: int, upkeep: float, upkeep_every: int, present: float
) -> None:
    found = present_cost(
        cost, years=20, discount_rate=0.025, construction_every=every,
        maintenance_eur=upkeep, maintenance_every=upkeep_every,
    )  # fmt: skip
    assert found == pytest.approx(present, abs=5e-7)


def test_a_second_path_goes_round_the_water_and_counts_what_it_cannot_avoid(tmp_path: Path) -> None:
    """Two roads from (0,0) to (1000,0): the straight one under water from x = 400 to 600."""
    raster, coverage = tmp_path / "q100.tif", "extent"
    cells = np.zeros((60, 120), np.float32)
    cells[:, 50:70] = 1.0
    transform = rasterio.transform.from_origin(-100, 300, 10, 10)
    profile = {
        "driver": "GTiff",
        "width": 120,
        "height": 60,
        "count": 1,
        "dtype": "float32",
        "crs": "EPSG:2154",
    }
    with rasterio.open(raster, "w", transform=transform, **profile) as out:
        out.write(cells, 1)
    hazard = Hazard("crue", "flood_depth", "m", coverage, (HazardEvent(100.0, raster),))
    network = _network()
    straight = shapely.LineString([(0, 0), (1000, 0)])
    over = shapely.LineString([(0, 0), (0, 400), (1000, 400), (1000, 0)])  # north of the raster: not mapped
    none = FirstPath(np.empty(0, np.int32), np.empty(0, object), np.empty(0, np.int32))
    places = shapely.Point(0, 0), shapely.Point(1000, 0)
    for lines, length, wet_m in (([straight, over], 1800.0, None), ([straight], 1000.0, 200.0)):
        layer = gpd.GeoDataFrame({"highway": ["track"] * len(lines)}, geometry=lines, crs=2154)
        no_ducts = network.lines.assign(typ_imp="0")
        bare = Network(network.assets, no_ducts, *([pd.DataFrame()] * 4), network.links, pd.DataFrame())
        path = second_path(
            build_ground(bare, roads=road_graph(layer), hazards=[hazard]), *places, none, PARAMETERS
        )
        assert path is not None
        assert path.geometry.length == pytest.approx(length)
        assert path.wet["wet_m"].tolist() == ([] if wet_m is None else [pytest.approx(wet_m)])


def test_a_study_says_who_pays_and_what_is_not_wanted(case: Case, tmp_path: Path) -> None:
    path = tmp_path / "catalogue.csv"
    path.write_text(
        "mesure;financement;propose\nprotection_pm;FEDER 50 %, syndicat 50 %;\nelagage;;non\n",
        encoding="utf-8",
    )
    works = works_of(read_table(path, "catalogue"))
    around = Surroundings(dict.fromkeys(LEVELS, case.exposure), works=works)
    measures = propose(case.network, case.routes, case.spof, case.today, PARAMETERS, around).measures
    told = measures.set_index("mesure")["financement"]
    assert set(told["protection_pm"]) == {"FEDER 50 %, syndicat 50 %"}
    assert told["rehausse_pm"] == "syndicat et Banque des Territoires (à confirmer)"
    assert "elagage" not in told.index
    assert "contrat_intervention" in told.index


def test_the_table_catalogue_takes_every_work_that_can_be_proposed() -> None:
    (mesure,) = [column for column in SCHEMAS["catalogue"].columns if column.name == "mesure"]
    assert set(mesure.choices) == set(WORKS) - {OWN}


def test_priority_follows_the_criticite_and_a_study_may_move_its_limits() -> None:
    values = (16, 12, 9, 6, 4, 1, float("nan"))
    shipped = ["P1", "P1", "P2", "P2", "P3", "P3", "P3"]
    assert [priority_of(value, PARAMETERS) for value in values] == shipped
    nine = {"low": 9.0, "central": 9.0, "high": 9.0, "source": "committee"}
    moved = replace_parameters(PARAMETERS, {"class.priority_1.criticite": nine})
    assert [priority_of(value, moved) for value in values] == ["P1", "P1", "P1", "P2", "P3", "P3", "P3"]
