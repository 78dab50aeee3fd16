"""One invented study, small enough to check by hand, with hostile text in its codes.

Its frames are shared by all tests: writers never change what they are given.
"""

from dataclasses import replace
from datetime import date

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from shapely.geometry import GeometryCollection, LineString, MultiLineString, Point, box

from gracethd.service import ServiceGraph
from resilience.outputs.page_failures import listed_failures
from resilience.outputs.report import Report
from tests.hostile_text import FORMULA, HOSTILE, SEPARATOR
from tests.resilience.service_graphs import service_graph

CRS = "EPSG:2154"
X, Y = 642_000.0, 7_069_000.0  # near Saint-Omer, in Lambert-93


def line(*xy: tuple[float, float]) -> LineString:
    return LineString([(X + x, Y + y) for x, y in xy])


def point(x: float, y: float) -> Point:
    return Point(X + x, Y + y)


def frame(columns: dict[str, list[object]]) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(columns, crs=CRS)


@pytest.fixture(scope="session")
def series() -> gpd.GeoDataFrame:
    """Three chains of one tree.

    NRO ===a=== chamber ===b=== PM1(1200)
                   |
                   c
                   |
                 PM2(310)
    """
    return frame(
        {
            "serie": ["CM-A", HOSTILE, "CM-C"],
            "segment": ["transport", "transport", "distribution"],
            "commune": ["Lumbres", "Elnes", "Elnes"],
            "prises_cut": [5510, 1200, 40],
            "length_m": [2300.0, 1500.0, 800.0],
            "n_ways": [4, 3, 2],
            "n_chambers": [2, 1, 0],
            "n_poles": [0, 6, 9],
            "n_cables": [2, 1, 1],
            "intensity_max": [0.35, np.nan, 0.0],
            "rank": [1, 2, 3],
            "geometry": [
                GeometryCollection(
                    [point(2300, 0), MultiLineString([line((0, 0), (1150, 40)), line((1150, 40), (2300, 0))])]
                ),
                line((2300, 0), (3000, 300), (3800, 200)),
                line((2300, 0), (2300, -800)),
            ],
        }
    )


@pytest.fixture(scope="session")
def spof(series: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Points and lines, worst first."""
    return frame(
        {
            "kind": ["local", "cheminement", "ptech"],
            "code": ["NRO1", "CM-A", SEPARATOR],
            "libelle": ["NRO de Lumbres", FORMULA, "@SUM(A1)"],
            "segment": ["", "transport", "transport"],
            "commune": ["Lumbres", "Lumbres", "Elnes"],
            "prises_cut": [5510, 5510, 1200],
            "prises_cut_max": [5510, 5510, 1240],
            "prises_stranded": [5510, 1510, 0],
            "n_pm": [12, 12, 1],
            "protected": [False, False, False],
            "abonnes_cut": [np.nan, np.nan, np.nan],
            "criticite": [12.0, 12.0, 6.0],
            "rank": [1, 2, 3],
            "geometry": [point(0, 0), series.geometry.iloc[0].geoms[1], point(2300, 0)],
        }
    )


@pytest.fixture(scope="session")
def exposure() -> gpd.GeoDataFrame:
    """Two assets, two return periods: wet, dry and not mapped all occur."""
    return frame(
        {
            "kind": ["local", "local", "cheminement", "cheminement", "local"],
            "code": ["PM1", "PM1", "CM-A", "CM-A", "PM2"],
            "hazard": ["crue"] * 5,
            "hazard_kind": ["flood_depth"] * 5,
            "scenario": ["Q20", "Q100", "Q20", "Q100", "Q100"],
            "return_period": [20.0, 100.0, 20.0, 100.0, 100.0],
            "intensity_max": [0.0, 0.35, 0.2, 0.8, np.nan],
            "intensity_unit": ["m"] * 5,
            "wet_m": [0.0, 0.0, 120.0, 900.0, 0.0],
            "length_m": [0.0, 0.0, 2300.0, 2300.0, 0.0],
            "mapped_share": [1.0, 1.0, 0.5, 0.5, 0.0],
            "geometry": [
                point(3800, 200),
                point(3800, 200),
                line((0, 0), (2300, 0)),
                line((0, 0), (2300, 0)),
                point(2300, -800),
            ],
        }
    )


@pytest.fixture(scope="session")
def plan() -> gpd.GeoDataFrame:
    """Two measures: works on a line, and on a site."""
    return frame(
        {
            "rank": [1, 2],
            "action_id": ["A-001", "A-002"],
            "famille": ["SECURISATION_SITE", "ENFOUISSEMENT"],
            "mesure": ["pm_raise", "bury"],
            "libelle": ["+Surélever l'armoire du PM1", "Enfouir la série <b>CM-A</b>"],
            "objets": ["local:PM1", "cheminement:CM-A"],
            "commune": ["Elnes", "Lumbres"],
            "epci": ["CC du Pays de Lumbres", "CC du Pays de Lumbres"],
            "longueur_m": [np.nan, 1300.0],
            "prises_secured": [1200, 5510],
            "prises_h_avoided_per_year_low": [150.0, 60.0],
            "prises_h_avoided_per_year_central": [420.0, 180.0],
            "prises_h_avoided_per_year_high": [900.0, 500.0],
            "cost_eur_low": [10000.0, 65000.0],
            "cost_eur_central": [20000.0, 117000.0],
            "cost_eur_high": [45000.0, 208000.0],
            "annee_prix": [2024, 2024],
            "eur_per_prise_h": [47.619, 650.0],
            "priority": ["P1", "P2"],
            "rank_low": [1, 2],
            "rank_high": [1, 2],
            "hypotheses": ["hauteur +0,6 m", "90 €/m"],
            "geometry": [point(3800, 200), line((0, 0), (1150, 40), (1300, 30))],
        }
    )


@pytest.fixture(scope="session")
def report(
    series: gpd.GeoDataFrame, spof: gpd.GeoDataFrame, exposure: gpd.GeoDataFrame, plan: gpd.GeoDataFrame
) -> Report:
    """Every part that a study may have."""
    return Report(
        title="Schéma local de résilience — étude d'essai",
        recipient="Syndicat <d'essai> & Cie",
        day=date(2026, 3, 1),
        notice="Données inventées.",
        counts={
            "deliveries": 2,
            "prises_inventoried": 7090,
            "prises_traced_splice": 5000,
            "prises_traced_cable": 1900,
            "prises_traced_zone": 100,
            "prises_untraced": 90,
            "prises_untraced_reasons": {"adresse_sans_ligne": 90},
        },
        levels=pd.DataFrame(
            {
                "zone": ["ZS1", "ZS2"],
                "level": [3, 1],
                "prises": [6000, 1090],
                "traced_splice": [5000, 0],
                "traced_cable": [900, 1000],
                "traced_zone": [100, 0],
                "untraced": [0, 90],
            }
        ),
        findings=pd.DataFrame(
            {
                "rule": ["cle_double", "cle_double", "geom_nulle"],
                "severity": ["majeur", "majeur", "bloquant"],
                "table": ["t_cable", "t_cable", "t_noeud"],
                "attribute": ["", "", ""],
                "code": ["CB1", "CB2", "ND1"],
                "message": ["deux lignes", "deux lignes", "sans géométrie"],
                "delivery": ["", "", ""],
                "line": [1, 2, 3],
            }
        ),
        spof=spof,
        series=series,
        loops=pd.DataFrame(
            {
                "nro": ["NRO1"],
                "k_cable": [2],
                "k_place": [2],
                "k_srlg": [1],
                "shared_m": [420.0],
                "shared_places": [1],
                "is_false": [True],
            }
        ),
        rooms=frame(
            {
                "code": ["NRO1", "PM1", "PM2"],
                "nature": ["NRO", "PM", "PM"],
                "name": ["Lumbres", "Elnes", HOSTILE],
                "nro": ["", "NRO1", "NRO1"],
                "prises": [5510, 1200, 310],
                "geometry": [point(0, 0), point(3800, 200), point(2300, -800)],
            }
        ),
        communes=frame(
            {
                "code_insee": ["62534", "62292"],
                "nom": ["Lumbres", "Elnes"],
                "geometry": [
                    box(X - 900, Y - 1300, X + 2000, Y + 1200),
                    box(X + 2000, Y - 1300, X + 4700, Y + 1200),
                ],
            }
        ),
        hazard_extents=frame(
            {
                "hazard": ["crue", "crue"],
                "hazard_kind": ["flood_depth", "flood_depth"],
                "scenario": ["Q20", "Q100"],
                "return_period": [20.0, 100.0],
                "intensity_class": ["", ""],
                "geometry": [
                    box(X + 900, Y - 150, X + 1400, Y + 150),
                    box(X + 600, Y - 350, X + 1700, Y + 350),
                ],
            }
        ),
        coverage=frame({"hazard": ["crue"], "geometry": [box(X - 200, Y - 600, X + 3000, Y + 600)]}),
        hazards=pd.DataFrame(
            {
                "hazard": ["crue"],
                "hazard_kind": ["flood_depth"],
                "events": [(("Q20", 20.0), ("Q100", 100.0))],
                "coverage": ["emprise.gpkg"],
                "n_wet": [2],
                "n_unmapped": [1],
                "effect": ["year"],
                "together": [""],
                "prises_h_per_year_central": [1020.0],
            }
        ),
        exposure=exposure,
        unmapped=pd.DataFrame(
            {
                "hazard": ["crue"] * 4,
                "scenario": ["Q20", "Q20", "Q100", "Q100"],
                "return_period": [20.0, 20.0, 100.0, 100.0],
                "code_insee": ["62292", "62534", "62292", "62534"],
                "n_objets": [2, 4, 2, 4],
                "n_non_cartographies": [0, 0, 1, 0],
                "length_m": [2000.0, 3000.0, 2000.0, 3000.0],
                "unmapped_m": [100.0, 0.0, 500.0, 0.0],
            }
        ),
        event_losses=pd.DataFrame(
            {
                "hazard": ["crue", "crue"],
                "scenario": ["Q20", "Q100"],
                "return_period": [20.0, 100.0],
                "prises_down_mean": [35.0, 812.4],
                "prises_down_p05": [0.0, 0.0],
                "prises_down_p95": [1200.0, 5510.0],
                "prises_h_mean": [840.0, 96000.0],
                "prises_h_se": [10.0, 2000.0],
                "prises_h_p05": [0.0, 0.0],
                "prises_h_p95": [28800.0, 310000.0],
            }
        ),
        loss=pd.DataFrame(
            {
                "origin": ["event", "rate", "rate", "rate"],
                "cause": ["crue", "dig_up", "nro_fire", "pm_destroyed"],
                "convention": ["constant", "additive", "additive", "additive"],
                "prises_h_per_year_low": [400.0, 90.0, 30.0, 60.0],
                "prises_h_per_year_central": [1020.0, 140.0, 397.0, 300.0],
                "prises_h_per_year_high": [2600.0, 400.0, 3900.0, 900.0],
                "standard_error": [31.2, 0.0, 0.0, 0.0],
            }
        ),
        loss_parts={
            "communes": pd.DataFrame(
                {
                    "group": ["62292", "62534"],
                    "prises": [1580, 5510],
                    "events_prises_h_per_year": [1000.0, 20.0],
                    "rates_prises_h_per_year": [700.0, 137.0],
                    "prises_h_per_year": [1700.0, 157.0],
                    "hours_per_prise_year": [1.08, 0.03],
                }
            ),
            "conventions": pd.DataFrame(
                {
                    "hazard": ["crue"],
                    "none": [900.0],
                    "constant": [1020.0],
                    "linear": [1100.0],
                    "n_events": [2],
                    "is_monotone": [True],
                }
            ),
        },
        draws=1000,
        plan=plan,
        ecartees=plan.assign(raison="hors budget", action_id=["A-003", "A-004"]),
        budget={"budget_eur": 300000.0, "prises_h_avoided_per_year_central": 590.0, "gap": 0.0},
        parameters=pd.DataFrame(
            {
                "name": ["pm.plinth_m", "way.dig_up.rate_per_km_year"],
                "unit": ["m", "1/km/year"],
                "low": [0.15, 0.0015],
                "central": [0.2, 0.00213],
                "high": [0.3, 0.004],
                "source": ["assumption", "AFL, Bellcore"],
            }
        ),
        limits=["Les crues hors de l'emprise cartographiée ne sont pas jugées."],
    )


@pytest.fixture(scope="session")
def stormy(report: Report, exposure: gpd.GeoDataFrame) -> Report:
    """Add wind (two events), clay (classes, no frequency) and an observed flood to the study."""
    way, room = line((0, 0), (2300, 0)), point(3800, 200)
    others = frame(
        {
            "kind": ["cheminement", "cheminement", "cheminement", "cheminement", "local", "local"],
            "code": ["CM-A", "CM-A", "CM-A", "CM-B", "PM1", "PM2"],
            "hazard": ["Vent d'Ouest", "Vent d'Ouest", "argiles", "argiles", "crue vue", "crue vue"],
            "hazard_kind": ["gust", "gust", "clay", "clay", "flood_extent", "flood_extent"],
            "scenario": ["Q10", "Q50", "ExpoArgile", "ExpoArgile", "observé", "observé"],
            "return_period": [10.0, 50.0, np.nan, np.nan, np.nan, np.nan],
            "intensity_max": [28.0, 37.5, 3.0, np.nan, 1.0, np.nan],
            "intensity_unit": ["m/s", "m/s", "classe", "classe", "présence", "présence"],
            "wet_m": [2300.0, 2300.0, 800.0, np.nan, 0.0, np.nan],
            "length_m": [2300.0, 2300.0, 2300.0, 1000.0, 0.0, 0.0],
            "mapped_share": [1.0, 1.0, 1.0, 0.0, 1.0, 0.0],
            "geometry": [way, way, way, line((2300, 0), (3300, 0)), room, point(2300, -800)],
        }
    )
    reach = box(X, Y - 400, X + 2600, Y + 400)
    extents = frame(
        {
            "hazard": ["Vent d'Ouest", "argiles", "argiles", "crue vue"],
            "hazard_kind": ["gust", "clay", "clay", "flood_extent"],
            "scenario": ["Q10", "ExpoArgile", "ExpoArgile", "observé"],
            "return_period": [10.0, np.nan, np.nan, np.nan],
            "intensity_class": ["25 à 31 m/s (110 km/h)", "faible (1)", "fort (3)", "dans l'emprise"],
            "geometry": [
                reach,
                reach,
                box(X, Y - 100, X + 800, Y + 100),
                box(X + 3500, Y, X + 4000, Y + 500),
            ],
        }
    )
    coverage = frame({"hazard": ["Vent d'Ouest", "argiles", "crue vue"], "geometry": [reach] * 3})
    return replace(
        report,
        exposure=pd.concat([exposure, others], ignore_index=True),
        hazard_extents=pd.concat([report.hazard_extents, extents], ignore_index=True),
        coverage=pd.concat([report.coverage, coverage], ignore_index=True),
    )


@pytest.fixture(scope="session")
def lit() -> ServiceGraph:
    """Two cabinets on one trunk, closed into a ring: the NRO is asset 0, CM-A 1, the chamber 2.

    root --- NRO(1) --CM-A-- C(2: chamber) --- PM1(3: 300) --- PM2(4: 70) --- NRO
    """
    return service_graph(
        [(0, 1), (1, 2), (2, 3), (3, 4), (4, 1)], [0, 0, 0, 300, 70], n_assets=3,
        vertex_links=[(0, 1), (2, 2)], edge_links=[(1, 1), (1, 3)],
    )  # fmt: skip


@pytest.fixture(scope="session")
def with_failures(report: Report, lit: ServiceGraph, spof: gpd.GeoDataFrame) -> Report:
    """Every part, and a network behind the list of single points of failure."""
    prises = pd.DataFrame({"vertex_nominal": [3, 4], "n": [300, 70], "pm": ["PM1", "PM2"]})
    return replace(report, failures=listed_failures(lit, prises, spof[["kind", "code"]], spof, 500))
