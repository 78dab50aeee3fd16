"""Rules that take tables of their own: each with a small delivery that breaks it, and its clean twin."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from shapely import Point, box

from gracethd.check import check_tables
from gracethd.check.settings import Settings, default_thresholds
from gracethd.deliveries import Delivery
from gracethd.findings import merge_findings

Rows = Sequence[Mapping[str, object]]


def small(name: str = "essai", **tables: Rows) -> Delivery:
    """Give a version 3 delivery in memory; `at` is the shape of a row."""
    frames: dict[str, pd.DataFrame] = {}
    for table, rows in tables.items():
        frame = pd.DataFrame([{key: value for key, value in row.items() if key != "at"} for row in rows])
        frame = frame.astype(str).where(frame.notna())
        frame["line"] = np.arange(1, len(frame) + 1, dtype=np.int64)
        if any("at" in row for row in rows):
            shapes = [row.get("at") for row in rows]
            frame = gpd.GeoDataFrame(frame, geometry=gpd.GeoSeries(shapes, crs=2154))
        frames[table] = frame
    crs = next((frame.crs for frame in frames.values() if isinstance(frame, gpd.GeoDataFrame)), None)
    versions = dict.fromkeys(frames, "3")
    return Delivery(name, Path(name), "", 0, frames, versions, crs, merge_findings([]))


def told(rule: str, *deliveries: Delivery, **options: str) -> list[str]:
    """Give the codes that a rule names."""
    findings = check_tables(deliveries, **options)  # type: ignore[arg-type]
    return findings.loc[findings["rule"] == rule, "code"].tolist()


def node(code: str, x: float, y: float = 0) -> dict[str, object]:
    return {"nd_code": code, "at": Point(700_000 + x, 7_000_000 + y)}


def zone(code: str, left: float, right: float) -> dict[str, object]:
    return {"zs_code": code, "at": box(700_000 + left, 6_999_990, 700_000 + right, 7_000_010)}


def flat_block(second_x: float) -> Delivery:
    """Give two homes of one address, before two SRO zones that meet at x = 15."""
    homes = [{"lc_code": f"L{i}", "lc_typelog": "RES", "lc_st_code": f"S{i}"} for i in (1, 2)]
    sites = [{"st_code": f"S{i}", "st_nd_code": f"N{i}", "st_ad_code": "A"} for i in (1, 2)]
    return small(
        t_noeud=[node("N1", 0), node("N2", second_x)], t_local=homes, t_site=sites,
        t_adresse=[{"ad_code": "A", "at": Point(700_008, 7_000_000)}],
        t_zsro=[zone("Z1", -50, 15), zone("Z2", 15, 50)],
    )  # fmt: skip


def way_between_chambers(owner: str) -> Delivery:
    """Give a way of an owner between two chambers of owner O."""
    chambers = [
        {"pt_code": f"P{i}", "pt_nd_code": f"N{i}", "pt_typephy": "C", "pt_prop": "O"} for i in (1, 2)
    ]
    way = {"cm_code": "C", "cm_ndcode1": "N1", "cm_ndcode2": "N2", "cm_prop": owner}
    return small(t_noeud=[node("N1", 0), node("N2", 30)], t_ptech=chambers, t_cheminement=[way])


def two_poles(apart: float, label: str = "FT-1") -> Delivery:
    poles = [
        {"pt_code": "P1", "pt_nd_code": "N1", "pt_typephy": "A", "pt_etiquet": "FT-1"},
        {"pt_code": "P2", "pt_nd_code": "N2", "pt_typephy": "A", "pt_etiquet": label},
    ]
    return small(t_noeud=[node("N1", 0), node("N2", apart)], t_ptech=poles)


def room(typelog: str, name: str | None) -> Delivery:
    return small(t_local=[{"lc_code": "L", "lc_typelog": typelog, "lc_etiquet": name, "lc_codeext": "x"}])


def planned(fibres: str | None) -> Delivery:
    return small(t_adresse=[{"ad_code": "A", "ad_nbfotth": fibres, "ad_nblres": "3", "ad_nblent": "1"}])


def client_site(proptyp: str | None, typelog: str = "CLIENT") -> Delivery:
    """Give an SRO in the building of a client."""
    sro = {"lc_code": "L", "lc_typelog": "SRO", "lc_st_code": "S", "lc_proptyp": proptyp}
    return small(t_local=[sro], t_site=[{"st_code": "S", "st_typelog": typelog}])


def way_to_compose(owner: str, bearing: str = "7", progress: str = "E") -> Delivery:
    """Give a way without composition, its owner named in t_organisme."""
    way = {"cm_code": "C", "cm_compo": None, "cm_avct": progress, "cm_typ_imp": bearing, "cm_prop": "OR1"}
    return small(t_cheminement=[way], t_organisme=[{"or_code": "OR1", "or_nom": owner}])


def home_fed_from(support: str | None, typelog: str = "RES", distance: str | None = None) -> Delivery:
    """Give an address whose home is fed by a PBO on a support, or in the building."""
    return small(
        t_adresse=[{"ad_code": "A", "ad_distinf": distance}], t_site=[{"st_code": "S", "st_ad_code": "A"}],
        t_local=[{"lc_code": "L", "lc_st_code": "S", "lc_typelog": typelog, "lc_bp_codf": "B"}],
        t_ebp=[{"bp_code": "B", "bp_pt_code": support, "bp_lc_code": "X"}],
    )  # fmt: skip


def pole(version: str, height: str | None, typephy: str = "A") -> Delivery:
    one = small(
        t_ptech=[
            {"pt_code": "P", "pt_typephy": typephy, "pt_a_haut": height, "pt_a_dan": "1", "pt_a_struc": "S"}
        ]
    )
    return replace(one, versions={"t_ptech": version})


def required(delivery: Delivery, **grid: str) -> list[str]:
    """Give the attributes that are empty although their condition holds."""
    found = check_tables([delivery], **grid)  # type: ignore[arg-type]
    return found.loc[found["rule"] == "remplissage_conditionnel", "attribute"].tolist()


@pytest.mark.parametrize(
    ("faulty", "sound", "attribute"),
    [
        (client_site(None), client_site("PRIVE"), "lc_proptyp"),
        (client_site(None), client_site(None, "RESEAU"), "lc_proptyp"),
        (way_to_compose("ORANGE"), way_to_compose("COMMUNE"), "cm_compo"),
        (way_to_compose("ORANGE"), way_to_compose("ORANGE", "4"), "cm_compo"),
        (way_to_compose("COMMUNE", "4", "C"), way_to_compose("COMMUNE", "4", "E"), "cm_compo"),
        (home_fed_from("P"), home_fed_from(None), "ad_distinf"),
        (home_fed_from("P"), home_fed_from("P", distance="25"), "ad_distinf"),
        (home_fed_from("P"), home_fed_from("P", "ENT"), "ad_distinf"),
    ],
)
def test_what_other_tables_say_may_require_an_attribute_in_container_3(
    faulty: Delivery, sound: Delivery, attribute: str
) -> None:
    """dbt-grace-thd ctrl_rc_0610, ctrl_rc_0401 and ctrl_rc_0102: asked of container C3 alone."""
    assert required(faulty, container="C3").count(attribute) == 1
    assert attribute not in required(sound, container="C3")
    assert attribute not in required(faulty, container="C2") + required(faulty)


def test_a_pole_of_version_2_has_its_height_in_the_phases_whose_grid_says_so() -> None:
    """The grid says F up to EXE, C from TVX; version 3 has it on the anchor of the pole instead."""
    assert required(pole("2", None), phase="REC") == ["pt_a_haut"]
    assert required(pole("2", "8"), phase="REC") == []
    assert required(pole("2", None, "C"), phase="REC") == []
    assert required(pole("2", None), phase="EXE") == []
    assert required(pole("3", None), phase="REC") == []


Case = tuple[Callable[[], list[str]], list[str], Callable[[], list[str]]]
SMALL: dict[str, Case] = {
    "adresse_plusieurs_zsro": (
        lambda: told("adresse_plusieurs_zsro", flat_block(20)), ["A"],
        lambda: told("adresse_plusieurs_zsro", flat_block(10)),
    ),
    "proprietaire_discordant": (
        lambda: told("proprietaire_discordant", way_between_chambers("AUTRE")), ["C"],
        lambda: told("proprietaire_discordant", way_between_chambers("O")),
    ),
    "appui_double": (
        lambda: told("appui_double", two_poles(40)), ["P1", "P2"],
        lambda: [*told("appui_double", two_poles(60)), *told("appui_double", two_poles(40, "FT-2"))],
    ),
    "remplissage_conditionnel": (
        lambda: told("remplissage_conditionnel", room("SRO", None), container="C2"), ["L"],
        lambda: [
            *told("remplissage_conditionnel", room("TEC", None), container="C2"),
            *told("remplissage_conditionnel", room("SRO", "PM 7"), container="C2"),
            *told("remplissage_conditionnel", room("SRO", None), container="C1"),
            *told("remplissage_conditionnel", room("SRO", None)),
        ],
    ),
    "fibres_prevues_discordantes": (
        lambda: told("fibres_prevues_discordantes", planned("3")), ["A"],
        lambda: [
            *told("fibres_prevues_discordantes", planned("4")),
            *told("fibres_prevues_discordantes", planned(None)),
        ],
    ),
    "table_exigee": (
        lambda: sorted(set(told("table_exigee", room("SRO", "PM 7"), container="C1"))), [""],
        lambda: told("table_exigee", room("SRO", "PM 7")),
    ),
}  # fmt: skip


@pytest.mark.parametrize("rule", sorted(SMALL))
def test_a_rule_tells_the_fault_and_not_its_clean_twin(rule: str) -> None:
    faulty, codes, clean = SMALL[rule]
    assert faulty() == codes
    assert clean() == []


def test_the_tables_that_a_container_requires_are_those_of_the_published_grid() -> None:
    """C1 of the grid of GraceTHD 3: eight tables; levels of use tell two of them, and t_local is there."""
    findings = check_tables([room("SRO", "PM 7")], container="C1")
    missing = findings[findings["rule"].isin(["table_exigee", "table_absente"])]["table"]
    required = {"t_adresse", "t_noeud", "t_organisme", "t_site", "t_znro", "t_zsro"}
    assert required <= set(missing)
    asked = set(findings.loc[findings["rule"] == "table_exigee", "table"])
    assert asked <= required


def cable(code: str, **more: object) -> dict[str, object]:
    return {"cb_code": code, "cb_capafo": "12", "cb_statut": "REC", **more}


def test_a_later_delivery_that_says_otherwise_is_told_without_the_values() -> None:
    one = small("nord", t_cable=[cable("A"), cable("B", cb_majdate="2020-01-01")])
    two = small("sud", t_cable=[cable("B", cb_capafo="24", cb_majdate="2021-01-01"), cable("C")])
    findings = check_tables([one, two])
    found = findings[findings["rule"] == "livraisons_contradictoires"]
    assert found[["code", "delivery", "line"]].to_numpy().tolist() == [["B", "sud", 1]]
    assert found["message"].iloc[0].endswith(": cb_capafo")
    assert told("livraisons_contradictoires", two, one) == ["B"]


@pytest.mark.parametrize("same", [{"cb_capafo": "12.0"}, {"cb_statut": None}, {"cb_comment": "autre"}])
def test_what_two_deliveries_write_differently_but_say_alike_is_no_contradiction(
    same: dict[str, object],
) -> None:
    one, two = small("nord", t_cable=[cable("A")]), small("sud", t_cable=[cable("A", **same)])
    assert told("livraisons_contradictoires", one, two) == []


def test_a_node_at_the_place_of_a_foreign_node_is_told_in_the_later_delivery() -> None:
    one = small("nord", t_noeud=[node("N1", 0), node("N2", 9)])
    two = small("sud", t_noeud=[node("M1", 0), node("N2", 9), node("M3", 50)])
    assert told("noeuds_superposes_livraisons", one, two) == ["M1"]
    assert told("noeuds_superposes_livraisons", two, one) == ["N1"]
    assert told("noeuds_superposes_livraisons", one) == []


def test_deliveries_of_two_versions_are_told_once() -> None:
    one, two = small("nord", t_cable=[cable("A")]), small("sud", t_cable=[cable("B")])
    old = replace(two, versions={"t_cable": "2"})
    assert told("versions_livraisons", one, old) == [""]
    assert told("versions_livraisons", one, two) == []


def test_thresholds_are_those_of_the_settings() -> None:
    wider = Settings({**default_thresholds(), "pole_m": 80})
    findings = check_tables([two_poles(60)], settings=wider)
    assert (findings["rule"] == "appui_double").sum() == 2
