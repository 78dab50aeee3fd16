"""Tracing: from each prise to its feed, and the two graphs on which losses are computed."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from gracethd.codes import amount, follow
from gracethd.findings import findings_frame, merge_findings
from gracethd.inventory import Inventory
from gracethd.network.fibres import read_fibres
from gracethd.network.places import Places, find_places
from gracethd.network.types import Network
from gracethd.routes.demand import Demand, find_demand
from gracethd.routes.laying import Graphs, lay_graphs
from gracethd.routes.prises import trace_prises
from gracethd.routes.reach import Reach
from gracethd.routes.rooms import close_gaps, join_feeds, join_same_place, lay_transport
from gracethd.routes.survey import NOWHERE, Survey, survey_network
from gracethd.routes.tallies import count, untraced_findings, zone_levels
from gracethd.routes.types import Routes

PRISE_COLUMNS = [
    "code", "n", "pbo", "pm", "nro", "zone", "traced", "reason", "state", "vertex_nominal", "vertex_physical",
    "insee", "delivery", "x", "y",
]  # fmt: skip


def trace_routes(inventory: Inventory, network: Network, *, feeds: pd.DataFrame | None = None) -> Routes:
    """Trace every prise to its feed and build the graphs that losses are computed on.

    Parameters
    ----------
    inventory : Inventory
    network : Network
        Built from the same inventory.
    feeds : DataFrame, optional
        The study's points of injection: column ``code`` (an nd_code or an st_code).

    Returns
    -------
    Routes

    Raises
    ------
    FeedError
        When the study names a feed that the inventory does not hold.

    Notes
    -----
    Splices first, then the cables of each layer, then the zone (D7, D15): see `docs/decisions.md` for what
    is done where DESIGN leaves room.
    """
    return conclude(inventory, lay_routes(inventory, network, feeds))


@dataclass(frozen=True)
class Laid:
    """Everything that tracing knows once the graphs are laid, before it is summed up.

    Attributes
    ----------
    network : Network
    places : Places
    survey : Survey
    graphs : Graphs
        Complete: cables, spliced transport, feeds and prises.
    demand : Demand
    traced : DataFrame
        `Demand.prises` with how each was traced, why not, and where it stands in the graphs.
    chosen : DataFrame
        Feeds chosen for each part, then those of the study that are on no cable (part -1).
    gaps : list of str
        Rooms that cables reach and no splice does.
    """

    network: Network
    places: Places
    survey: Survey
    graphs: Graphs
    demand: Demand
    traced: pd.DataFrame
    chosen: pd.DataFrame
    gaps: list[str]


def lay_routes(inventory: Inventory, network: Network, feeds: pd.DataFrame | None) -> Laid:
    """Lay the two graphs and trace every prise on them (see `trace_routes`)."""
    places = network.places or find_places(inventory)
    fibres = network.fibres or read_fibres(inventory, places)
    demand = find_demand(inventory, network, places)
    survey = survey_network(network, places, fibres, pd.Index(inventory["noeud"]["nd_code"]))
    graphs = lay_graphs(survey, places, demand.prises["pbo"])
    lay_transport(graphs, survey)
    join_same_place(graphs, survey)
    chosen = join_feeds(graphs, survey, places, feeds)
    gaps = close_gaps(graphs, survey)
    traced = trace_prises(graphs, survey, demand.prises)
    return Laid(network, places, survey, graphs, demand, traced, chosen, gaps)


def conclude(inventory: Inventory, laid: Laid) -> Routes:
    """Sum up what was laid: the graphs, the prises with their rooms and state, counts and findings."""
    network, survey, graphs, chosen = laid.network, laid.survey, laid.graphs, laid.chosen
    search = graphs.nominal.reach(_rooms_marked(graphs, survey))
    prises = _prise_table(laid.traced, laid.demand.zones, graphs, search)
    n = prises["n"].to_numpy()
    is_fed = chosen["part"] >= 0
    return Routes(
        nominal=graphs.nominal.finish(prises["vertex_nominal"].to_numpy(np.int32), n),
        physical=graphs.physical.finish(prises["vertex_physical"].to_numpy(np.int32), n),
        prises=prises,
        rooms=_room_table(graphs, survey, search, prises),
        feeds=chosen.loc[is_fed, ["feed", "source", "nd_code"]].drop_duplicates().reset_index(drop=True),
        levels=zone_levels(prises, survey),
        counts=count(inventory, network, prises),
        findings=merge_findings(
            [
                laid.demand.findings,
                _room_findings(laid.gaps, chosen.loc[~is_fed, "feed"]),
                untraced_findings(prises),
            ]
        ),
    )


def _room_findings(gaps: list[str], lost: pd.Series) -> pd.DataFrame:
    return merge_findings(
        [
            findings_frame(
                "transport_sans_continuite", "majeur", "local", code=gaps,
                message="câbles jusqu'à une injection, mais aucune épissure : pris comme joints",
            ),
            findings_frame(
                "injection_sans_cable", "majeur", "feeds", attribute="code", code=lost,
                message="ni NRO ni câble de collecte à cet endroit : cette injection n'alimente rien",
            ),
        ]
    )  # fmt: skip


def _rooms_marked(graphs: Graphs, survey: Survey) -> np.ndarray:
    """Mark the PM rooms, then the NRO rooms: which of each the route of a prise meets last."""
    marked = np.zeros((2, graphs.nominal.n_vertices), np.bool_)
    vertex = graphs.joints.rooms.to_numpy(np.int64)
    for row, nature in enumerate(("PM", "NRO")):
        marked[row, vertex[(survey.rooms["nature"] == nature).to_numpy()]] = True
    return marked


def _prise_table(traced: pd.DataFrame, zones: pd.DataFrame, graphs: Graphs, search: Reach) -> pd.DataFrame:
    """Name the rooms on the route of each prise (those of its zone where it is untraced), and its state."""
    rooms = graphs.joints.rooms
    room_at = pd.Series(rooms.index.to_numpy(), index=rooms.to_numpy())
    vertex = np.maximum(traced["vertex_nominal"].to_numpy(), 0)
    is_traced = (traced["traced"] != "").to_numpy()
    of_zone = (traced["pm"], follow(traced["zone"], zones.set_index("zone")["nro"]))
    on_route = (room_at.reindex(search.mark[row][vertex]).to_numpy() for row in (0, 1))
    pm, nro = (
        np.where(is_traced & pd.notna(met), met, zone.to_numpy(object))
        for met, zone in zip(on_route, of_zone, strict=True)
    )
    state = np.select([~is_traced, search.unsure[vertex]], ["broken", "ambiguous"], "complete")
    table = traced.assign(pm=pm, nro=nro, state=state)
    text = ["pbo", "pm", "nro", "zone", "insee", "traced", "reason"]
    table[text] = table[text].fillna("").astype(str)
    return table[PRISE_COLUMNS].astype({"n": np.int64}).reset_index(drop=True)


def _room_table(graphs: Graphs, survey: Survey, search: Reach, prises: pd.DataFrame) -> pd.DataFrame:
    rooms, libelle = survey.rooms, survey.network.assets["libelle"].to_numpy()
    vertex = graphs.joints.rooms.to_numpy(np.int32)
    room_at = pd.Series(rooms["room"].to_numpy(), index=vertex)
    traced = prises[prises["traced"] != ""]
    served = [amount(rooms["room"], traced.groupby(column)["n"].sum()) for column in ("pm", "nro")]
    is_pm = (rooms["nature"] == "PM").to_numpy()
    nro = room_at.reindex(search.mark[1][vertex]).where(is_pm)
    asset = rooms["asset"].to_numpy(np.int32)
    return pd.DataFrame(
        {
            "asset": asset,
            "code": rooms["room"],
            "nature": rooms["nature"],
            "name": np.where(asset > NOWHERE, libelle[asset], rooms["room"])
            if len(libelle)
            else rooms["room"],
            "nro": nro.fillna("").astype(str).to_numpy(),
            "vertex_nominal": vertex,
            "vertex_physical": graphs.hooks.rooms.to_numpy(np.int32),
            "prises": np.where(is_pm, *served).astype(np.int64),
        }
    )
