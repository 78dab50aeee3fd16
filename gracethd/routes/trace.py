"""Tracing: from each prise to its feed, and the two graphs on which losses are computed."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gracethd.codes import amount, follow
from gracethd.findings import findings_frame, merge_findings
from gracethd.inventory import Inventory
from gracethd.network.fibres import Fibres, read_fibres
from gracethd.network.places import Places, find_places
from gracethd.network.types import KINDS, Network
from gracethd.routes.alignments import Walks, walk_alignments
from gracethd.routes.demand import EXTRA, Demand, find_demand
from gracethd.routes.feeds import candidate_feeds, choose_feeds
from gracethd.routes.graph import NOWHERE, GraphParts
from gracethd.routes.nominal import Joints, cable_graph, spliced_chains
from gracethd.routes.physical import Hooks, place_graph
from gracethd.routes.reach import Reach, reach
from gracethd.routes.types import Routes


@dataclass(frozen=True)
class _Survey:
    """What tracing reads again and again, resolved to numbers once."""

    network: Network
    fibres: Fibres
    rooms: pd.DataFrame
    box_asset: pd.Series
    cable_asset: pd.Series
    cable_of_fibre: NDArray[np.int64]
    first_stop: pd.Series
    premise_stop: pd.Series


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
    places = find_places(inventory)
    fibres = read_fibres(inventory, places)
    demand = find_demand(inventory, network, places)
    nodes = pd.Index(inventory["noeud"]["nd_code"])
    survey = _survey(network, places, fibres, nodes)
    physical, hooks = _physical(survey, places, demand, nodes)
    candidates = candidate_feeds(places, nodes, feeds)
    chosen = choose_feeds(_placed(candidates, physical, hooks))
    physical.edges(0, chosen["vertex"])
    nominal = GraphParts(network, nodes)
    joints = cable_graph(nominal, network, fibres, survey.rooms, survey.box_asset)
    served = _lay_transport(nominal, survey, joints)
    _join_rooms(nominal, joints.rooms, joints.entries[~joints.entries.index.isin(served)])
    _join_same_site(nominal, survey.rooms, joints.rooms, network)
    _join_same_site(physical, survey.rooms, hooks.rooms, network)
    _feed_nominal(nominal, chosen, joints, network)
    gaps = _close_gaps(nominal, physical, joints, hooks, network)
    prises = _trace(nominal, physical, survey, demand, joints, hooks)
    return _routes(inventory, survey, demand, nominal, physical, joints, hooks, prises, chosen, gaps)


def _survey(network: Network, places: Places, fibres: Fibres, nodes: pd.Index) -> _Survey:
    assets = network.assets
    number = pd.Series(assets.index.to_numpy(), index=pd.MultiIndex.from_frame(assets[["kind", "code"]]))
    rooms = places.rooms[places.rooms["nature"].isin(("NRO", "PM"))].reset_index(drop=True)
    of_room = number.reindex(pd.MultiIndex.from_arrays([rooms["kind"], rooms["room"]]))
    rooms = rooms.assign(
        place=nodes.get_indexer(rooms["nd_code"]), asset=of_room.fillna(NOWHERE).to_numpy(np.int64)
    )
    cable_asset = _of_kind(assets, "cable")
    of_fibre = cable_asset.reindex(fibres.cable).fillna(NOWHERE).to_numpy(np.int64)
    roomed = network.stops[network.stops["room"].notna()]
    room_stop = roomed.drop_duplicates(["cable", "room"]).set_index(["cable", "room"])["stop"]
    premise = network.ends[network.ends["is_premise"]]
    edge = network.stops.groupby("cable")["stop"].agg(["min", "max"])
    at = cable_asset.reindex(premise["cable"]).to_numpy()
    own = ~np.isnan(at)
    stop = np.where(
        premise["end"].to_numpy()[own] == 1, edge["min"].reindex(at[own]), edge["max"].reindex(at[own])
    )
    premise_stop = pd.Series(stop, index=at[own].astype(np.int64))
    premise_stop = premise_stop[~premise_stop.index.duplicated()]
    return _Survey(
        network, fibres, rooms, _of_kind(assets, "ebp"), cable_asset, of_fibre, room_stop, premise_stop
    )


def _of_kind(assets: pd.DataFrame, kind: str) -> pd.Series:
    of_kind = assets[assets["kind"] == kind]
    return pd.Series(of_kind.index.to_numpy(), index=of_kind["code"])


def _physical(survey: _Survey, places: Places, demand: Demand, nodes: pd.Index) -> tuple[GraphParts, Hooks]:
    wanted = demand.prises["pbo"].dropna().unique()
    pbo = places.boxes[places.boxes["bp_code"].isin(wanted)].sort_values("bp_code")
    pbo = pbo.assign(asset=survey.box_asset.reindex(pbo["bp_code"]).to_numpy(), place=pbo["nd_code"])
    graph = GraphParts(survey.network, nodes)
    return graph, place_graph(graph, survey.network, survey.rooms, pbo)


def _placed(candidates: pd.DataFrame, physical: GraphParts, hooks: Hooks) -> pd.DataFrame:
    """Find the vertex and the connected part of each candidate feed."""
    at_room = hooks.rooms.reindex(candidates["room"]).to_numpy(float)
    collecte = pd.MultiIndex.from_arrays([["collecte"] * len(candidates), candidates["nd_code"]])
    at_place = hooks.places.reindex(collecte).to_numpy(float)
    vertex = np.where(np.isnan(at_room), at_place, at_room)
    part = physical.components()
    known = ~np.isnan(vertex)
    number = np.where(known, part[np.where(known, vertex, 0).astype(np.int64)], NOWHERE)
    return candidates.assign(vertex=np.where(known, vertex, NOWHERE).astype(np.int32), part=number)


def _lay_transport(nominal: GraphParts, survey: _Survey, joints: Joints) -> pd.Index:
    """Lay the spliced routes between PMs and NROs, and give the PMs that have one."""
    nature = survey.rooms.set_index("room")["nature"]
    contacts = survey.fibres.contacts
    from_pm = contacts[contacts["room"].map(nature) == "PM"]
    from_pm = from_pm[survey.cable_of_fibre[from_pm["fibre"].to_numpy()] >= 0]
    starts = from_pm["fibre"].to_numpy(np.int32)
    boxes, rooms = pd.Index(survey.box_asset.index), pd.Index(joints.rooms.index)
    walks = walk_alignments(survey.fibres, starts, boxes, rooms, nature == "NRO")
    pm = from_pm["room"].to_numpy()[walks.start]
    cable = survey.cable_of_fibre[starts[walks.start]]
    stop = (
        survey.first_stop.reindex(pd.MultiIndex.from_arrays([cable, pm])).fillna(NOWHERE).to_numpy(np.int64)
    )
    spliced_chains(
        nominal,
        survey.network,
        walks,
        stop,
        np.full(len(pm), NOWHERE, np.int64),
        _by_number(joints.rooms),
        joints.rooms.reindex(pm).to_numpy(np.int32),
        survey.cable_of_fibre,
        survey.box_asset.to_numpy(np.int32),
    )
    return pd.Index(pm).unique()


def _by_number(vertices: pd.Series) -> pd.Series:
    return pd.Series(vertices.to_numpy(), index=range(len(vertices)))


def _join_rooms(nominal: GraphParts, rooms: pd.Series, entries: pd.Series) -> None:
    nominal.edges(entries.to_numpy(np.int32), rooms.reindex(entries.index).to_numpy(np.int32))


def _join_same_site(graph: GraphParts, rooms: pd.DataFrame, vertex: pd.Series, network: Network) -> None:
    """Join a PM to the NRO of its own place where no transport cable serves it: a patch in the building."""
    layered = network.sections[network.sections["layer"] == "transport"][["cable"]].drop_duplicates()
    with_cable = set(network.stops.merge(layered, on="cable")["room"].dropna())
    pm = rooms[(rooms["nature"] == "PM") & ~rooms["room"].isin(with_cable)].dropna(subset="nd_code")
    pair = pm.merge(rooms[rooms["nature"] == "NRO"], on="nd_code", suffixes=("", "_nro"))
    graph.edges(
        vertex.reindex(pair["room"]).to_numpy(np.int32), vertex.reindex(pair["room_nro"]).to_numpy(np.int32)
    )


def _feed_nominal(nominal: GraphParts, chosen: pd.DataFrame, joints: Joints, network: Network) -> None:
    """Join the root to the rooms that are feeds, and to all that collecte holds at the other feeds."""
    at_room = chosen[chosen["room"].isin(joints.rooms.index)]
    nominal.edges(0, joints.rooms.reindex(at_room["room"]).to_numpy(np.int32))
    at_place = chosen[~chosen["room"].isin(joints.rooms.index)]
    collecte = _placed_joints(joints, network)
    collecte = collecte[collecte["layer"] == "collecte"]
    here = collecte[collecte["place"].isin(at_place["nd_code"])]
    nominal.edges(0, here["vertex"].drop_duplicates().to_numpy(np.int32))


def _placed_joints(joints: Joints, network: Network) -> pd.DataFrame:
    place = network.stops.drop_duplicates("stop").set_index("stop")["place"]
    return joints.stops.assign(place=joints.stops["stop"].map(place)).dropna(subset="place")


def _close_gaps(
    nominal: GraphParts, physical: GraphParts, joints: Joints, hooks: Hooks, network: Network
) -> list[str]:
    """Join by place the collecte and transport cables of rooms that no splice reaches, and name the rooms.

    A room that has cables to a feed, none of them spliced through, has an unknown route: it is that of
    its cables, as if each closure joined the cables of its layer.
    """
    far = _reached(physical)[hooks.rooms.to_numpy()] >= 0
    near = _reached(nominal)[joints.rooms.to_numpy()] >= 0
    gap = joints.rooms.index[far & ~near]
    if not len(gap):
        return []
    part = physical.components()
    broken = np.unique(part[hooks.rooms.reindex(gap).to_numpy(np.int64)])
    placed = _placed_joints(joints, network)
    placed = placed[placed["layer"] != "distribution"]
    hub = hooks.places.reindex(pd.MultiIndex.from_frame(placed[["layer", "place"]])).to_numpy(float)
    inside = ~np.isnan(hub)
    inside[inside] = np.isin(part[hub[inside].astype(np.int64)], broken)
    placed = placed[inside].drop_duplicates(["layer", "place", "vertex"])
    hubs = placed[["layer", "place"]].drop_duplicates()
    hubs["hub"] = nominal.vertices(len(hubs), nominal.places.get_indexer(hubs["place"]))
    each = placed.merge(hubs, on=["layer", "place"])
    nominal.edges(each["hub"], each["vertex"], ambiguous=(each["layer"] != "collecte").to_numpy())
    return sorted(gap)


def _reached(graph: GraphParts) -> NDArray[np.int32]:
    return _reach(graph, np.zeros((0, graph.n_vertices), np.bool_)).depth


def _reach(graph: GraphParts, marked: NDArray[np.bool_]) -> Reach:
    tail, head, section, ambiguous = graph.edge_list()
    return reach(graph.n_vertices, tail, head, marked, ambiguous & (section >= 0))


def _trace(
    nominal: GraphParts, physical: GraphParts, survey: _Survey, demand: Demand, joints: Joints, hooks: Hooks
) -> pd.DataFrame:
    """Give each prise its vertices, and say how it was traced."""
    prises = demand.prises.copy()
    prises["drop_asset"] = survey.cable_asset.reindex(prises["drop"]).to_numpy()
    open_row = prises["reason"] == ""
    vertex = np.full(len(prises), NOWHERE, np.int32)
    traced = np.full(len(prises), "", object)
    spliced = _trace_splices(nominal, survey, prises[open_row], joints)
    vertex[spliced.index] = spliced
    traced[spliced.index[spliced >= 0]] = "splice"
    depth = _reached(nominal)
    cut_off = (vertex >= 0) & (depth[np.maximum(vertex, 0)] < 0)
    vertex[cut_off], traced[cut_off] = NOWHERE, ""
    by_cable = _cable_vertex(prises, survey, joints, depth)
    fits = open_row.to_numpy() & (vertex < 0) & (by_cable >= 0)
    vertex[fits], traced[fits] = by_cable[fits], "cable"
    at_drop = hooks.drops.reindex(prises["drop_asset"]).to_numpy(float)
    at_pbo = hooks.pbos.reindex(prises["pbo"]).to_numpy(float)
    far = np.where(np.isnan(at_drop), at_pbo, at_drop)
    far = np.where((traced != "") & ~np.isnan(far), far, NOWHERE).astype(np.int32)
    prises["reason"] = _trace_zones(
        nominal, physical, survey, prises, joints, hooks, vertex, far, traced, depth
    )
    return prises.assign(traced=traced, vertex_nominal=vertex, vertex_physical=far)


def _trace_splices(nominal: GraphParts, survey: _Survey, prises: pd.DataFrame, joints: Joints) -> pd.Series:
    """Match prises to the fibres of their drop, else to the fibres waiting in their PBO (D7)."""
    fibres, network = survey.fibres, survey.network
    is_drop = np.zeros(len(network.assets) + 1, np.bool_)
    is_drop[survey.premise_stop.index.to_numpy()] = True
    of_drop = np.flatnonzero(is_drop[survey.cable_of_fibre])  # -1 (patch cord) reads the last, False
    drop = pd.DataFrame({"fibre": of_drop, "by": survey.cable_of_fibre[of_drop], "box": NOWHERE})
    drop["stop"] = survey.premise_stop.reindex(drop["by"]).to_numpy(np.int64)
    wait = fibres.waiting[["fibre", "ebp"]]
    wait = wait.assign(by=wait["ebp"], box=survey.box_asset.reindex(wait["ebp"]).to_numpy())
    wait["cable"] = survey.cable_of_fibre[wait["fibre"].to_numpy()]
    boxed = (
        network.stops.dropna(subset="ebp")
        .drop_duplicates(["cable", "ebp"])
        .set_index(["cable", "ebp"])["stop"]
    )
    wait["stop"] = boxed.reindex(pd.MultiIndex.from_frame(wait[["cable", "ebp"]])).to_numpy(float)
    wait = wait.dropna(subset=["stop", "box"])
    wait = wait[~is_drop[wait["cable"].to_numpy()]]
    parts = [
        _matched(survey, prises.dropna(subset="drop_asset"), "drop_asset", drop, joints),
        _matched(survey, prises[prises["drop_asset"].isna()].dropna(subset="pbo"), "pbo", wait, joints),
    ]
    found = []
    for row, walks, first in parts:
        vertex = spliced_chains(
            nominal,
            network,
            walks,
            first["stop"].to_numpy(np.int64),
            first["box"].to_numpy(np.int64),
            _by_number(joints.rooms),
            np.full(len(first), NOWHERE, np.int32),
            survey.cable_of_fibre,
            survey.box_asset.to_numpy(np.int32),
        )
        found.append(pd.Series(vertex, index=row))
    return pd.concat(found)


def _matched(
    survey: _Survey, prises: pd.DataFrame, by: str, starts: pd.DataFrame, joints: Joints
) -> tuple[pd.Index, Walks, pd.DataFrame]:
    """Walk the starting fibres and hand them out to prises, in the order of fibres and of codes."""
    nature = survey.rooms.set_index("room")["nature"]
    starts = starts[starts["by"].isin(prises[by])].reset_index(drop=True)
    walks = walk_alignments(
        survey.fibres,
        starts["fibre"].to_numpy(np.int32),
        pd.Index(survey.box_asset.index),
        pd.Index(joints.rooms.index),
        nature.isin(("PM", "NRO")),
    )
    good = starts.iloc[walks.start].assign(walk=np.arange(len(walks.start)))
    good["turn"] = good.groupby("by").cumcount()
    single = prises[prises["n"] == 1]  # an address that stands for several prises takes no fibre
    single = single.assign(turn=single.groupby(by).cumcount(), row=single.index)
    pair = single.merge(good, left_on=[by, "turn"], right_on=["by", "turn"]).sort_values("walk")
    return pd.Index(pair["row"]), _select(walks, pair["walk"].to_numpy()), pair


def _select(walks: Walks, kept: NDArray[np.int64]) -> Walks:
    size = np.diff(walks.indptr)[kept]
    indptr = np.concatenate([[0], np.cumsum(size)])
    take = np.repeat(walks.indptr[kept] - indptr[:-1], size) + np.arange(indptr[-1])
    return Walks(walks.start[kept], walks.room[kept], indptr, walks.fibre[take], walks.box[take])


def _cable_vertex(
    prises: pd.DataFrame, survey: _Survey, joints: Joints, depth: NDArray[np.int32]
) -> NDArray[np.int32]:
    """Give the vertex where cables reach each prise: the end of its drop, else a joint of its PBO."""
    local = joints.stops[joints.stops["layer"] == "distribution"].set_index(["cable", "stop"])["vertex"]
    stop = survey.premise_stop.reindex(prises["drop_asset"]).to_numpy(float)
    at_drop = local.reindex(pd.MultiIndex.from_arrays([prises["drop_asset"], stop])).to_numpy(float)
    segment = survey.network.assets["segment"].to_numpy()
    box = joints.boxes[joints.boxes["layer"] == "distribution"]
    is_drop = np.where(box["cable"] >= 0, segment[box["cable"].to_numpy()] == "raccordement", False)
    box = box[~is_drop].assign(depth=depth[box.loc[~is_drop, "vertex"].to_numpy()])
    box = box[box["depth"] >= 0].sort_values(["ebp", "depth", "cable"]).drop_duplicates("ebp")
    at_pbo = box.set_index("ebp")["vertex"].reindex(prises["pbo"]).to_numpy(float)
    has_drop = ~np.isnan(at_drop)
    vertex = np.where(has_drop, at_drop, at_pbo)
    known = ~np.isnan(vertex)
    vertex = np.where(known, vertex, 0).astype(np.int32)
    return np.where(known & (depth[vertex] >= 0), vertex, NOWHERE).astype(np.int32)


def _trace_zones(
    nominal: GraphParts,
    physical: GraphParts,
    survey: _Survey,
    prises: pd.DataFrame,
    joints: Joints,
    hooks: Hooks,
    vertex: NDArray[np.int32],
    far: NDArray[np.int32],
    traced: NDArray[np.object_],
    depth: NDArray[np.int32],
) -> NDArray[np.object_]:
    """Trace by zone what neither splice nor cable reaches, in place, and give the reasons of the rest."""
    reason = prises["reason"].to_numpy(dtype=object).copy()
    left = (reason == "") & (traced == "")
    room = joints.rooms.reindex(prises["pm"]).to_numpy(float)
    fed = ~np.isnan(room)
    fed[fed] = depth[room[fed].astype(np.int64)] >= 0
    reason[left & ~fed] = np.where(prises["pm"].isna(), "sans_pm", "pm_isole")[left & ~fed]
    has_pbo = prises["pbo"].notna().to_numpy()
    reached_zone = set(prises.loc[traced != "", "zone"].dropna())
    bare_zone = ~prises["zone"].isin(reached_zone).to_numpy()
    to_room = left & fed & ~has_pbo & bare_zone
    vertex[to_room], traced[to_room] = room[to_room], "zone"
    far[to_room] = hooks.rooms.reindex(prises.loc[to_room, "pm"]).to_numpy(np.int32)
    reason[left & fed & ~has_pbo & ~bare_zone] = "sans_pbo"
    at_box = left & fed & has_pbo
    pairs = prises.loc[at_box, ["pbo", "pm"]].drop_duplicates().sort_values(["pbo", "pm"])
    asset = survey.box_asset.reindex(pairs["pbo"]).to_numpy(np.int64)
    place = nominal.places.get_indexer(survey.network.assets["nd_code"].to_numpy()[asset])
    for graph, rooms, target in ((nominal, joints.rooms, vertex), (physical, hooks.rooms, far)):
        pairs["vertex"] = graph.vertices(len(pairs), place, asset)
        graph.edges(rooms.reindex(pairs["pm"]).to_numpy(np.int32), pairs["vertex"].to_numpy(np.int32))
        number = pairs.set_index(["pbo", "pm"])["vertex"]
        target[at_box] = number.reindex(pd.MultiIndex.from_frame(prises.loc[at_box, ["pbo", "pm"]]))
    traced[at_box] = "zone"
    return reason


def _routes(
    inventory: Inventory,
    survey: _Survey,
    demand: Demand,
    nominal: GraphParts,
    physical: GraphParts,
    joints: Joints,
    hooks: Hooks,
    prises: pd.DataFrame,
    chosen: pd.DataFrame,
    gaps: list[str],
) -> Routes:
    marked = np.zeros((2, nominal.n_vertices), np.bool_)
    for row, nature in enumerate(("PM", "NRO")):
        of_nature = survey.rooms.loc[survey.rooms["nature"] == nature, "room"]
        marked[row, joints.rooms.reindex(of_nature).to_numpy(np.int64)] = True
    search = _reach(nominal, marked)
    code_at = pd.Series(joints.rooms.index, index=joints.rooms.to_numpy())
    safe = np.maximum(prises["vertex_nominal"].to_numpy(), 0)
    is_traced = (prises["traced"] != "").to_numpy()
    room_on_path = [code_at.reindex(search.mark[row][safe]).to_numpy() for row in (0, 1)]
    nro_of_zone = follow(prises["zone"], demand.zones.set_index("zone")["nro"]).to_numpy(object)
    pm = np.where(is_traced & pd.notna(room_on_path[0]), room_on_path[0], prises["pm"].to_numpy(object))
    nro = np.where(is_traced & pd.notna(room_on_path[1]), room_on_path[1], nro_of_zone)
    state = np.select([~is_traced, search.unsure[safe]], ["broken", "ambiguous"], "complete")
    table = prises.assign(pm=pm, nro=nro, state=state)
    text = ["pbo", "pm", "nro", "zone", "insee"]
    table[text] = table[text].fillna("").astype(str)
    table["traced"], table["reason"] = table["traced"].astype(str), table["reason"].astype(str)
    columns = [
        "code", "n", "pbo", "pm", "nro", "zone", "traced", "reason", "state", "vertex_nominal",
        "vertex_physical", "insee", "delivery", "x", "y",
    ]  # fmt: skip
    table = table[columns].astype({"n": np.int64}).reset_index(drop=True)
    n = table["n"].to_numpy()
    rooms = _room_table(survey, joints, hooks, search, code_at, table)
    levels = _levels(table, survey)
    gap_findings = findings_frame(
        "transport_sans_continuite", "majeur", "local", code=gaps,
        message="its cables lead to a feed but no splice does: taken as joined in every closure",
    )  # fmt: skip
    return Routes(
        nominal=nominal.finish(table["vertex_nominal"].to_numpy(np.int32), n),
        physical=physical.finish(table["vertex_physical"].to_numpy(np.int32), n),
        prises=table,
        rooms=rooms,
        feeds=chosen[["feed", "source", "nd_code"]].drop_duplicates().reset_index(drop=True),
        levels=levels,
        counts=count(inventory, survey.network, table),
        findings=merge_findings([demand.findings, gap_findings, _untraced_findings(table)]),
    )


def _room_table(
    survey: _Survey, joints: Joints, hooks: Hooks, search: Reach, code_at: pd.Series, prises: pd.DataFrame
) -> pd.DataFrame:
    rooms, assets = survey.rooms, survey.network.assets
    vertex = joints.rooms.reindex(rooms["room"]).to_numpy(np.int32)
    traced = prises[prises["traced"] != ""]
    by = {nature: traced.groupby(column)["n"].sum() for nature, column in (("PM", "pm"), ("NRO", "nro"))}
    served = np.where(
        rooms["nature"] == "PM", amount(rooms["room"], by["PM"]), amount(rooms["room"], by["NRO"])
    )
    nro = np.where(rooms["nature"] == "PM", code_at.reindex(search.mark[1][vertex]).to_numpy(), "")
    name = np.where(
        rooms["asset"] >= 0, assets["libelle"].to_numpy()[rooms["asset"].to_numpy()], rooms["room"]
    )
    return pd.DataFrame(
        {
            "asset": rooms["asset"].to_numpy(np.int32),
            "code": rooms["room"],
            "nature": rooms["nature"],
            "name": name,
            "nro": pd.Series(nro).fillna("").astype(str),
            "vertex_nominal": vertex,
            "vertex_physical": hooks.rooms.reindex(rooms["room"]).to_numpy(np.int32),
            "prises": served.astype(np.int64),
        }
    )


def _levels(prises: pd.DataFrame, survey: _Survey) -> pd.DataFrame:
    """Say how far the data of each zone go (D16)."""
    network = survey.network
    boxed = network.stops.dropna(subset="ebp")
    drop = (network.assets["segment"] == "raccordement").to_numpy()
    boxed = boxed[~drop[boxed["cable"].to_numpy()]]
    has_way = set(
        network.uses.loc[network.uses["carrier"].map(network.assets["kind"]) == "cheminement", "carried"]
    )
    by_box = (
        pd.DataFrame({"ebp": boxed["ebp"], "way": boxed["cable"].isin(has_way)}).groupby("ebp")["way"].max()
    )
    level = np.select(
        [
            prises["traced"] == "splice",
            amount(prises["pbo"], by_box) > 0,
            prises["pbo"].isin(by_box.index),
        ],
        [3, 2, 1],
        0,
    )
    frame = prises.assign(level=level)
    for name in ("splice", "cable", "zone"):
        frame[f"traced_{name}"] = frame["n"].where(frame["traced"] == name, 0)
    frame["untraced"] = frame["n"].where(frame["traced"] == "", 0)
    summed = frame.groupby("zone").agg(
        level=("level", "max"),
        prises=("n", "sum"),
        traced_splice=("traced_splice", "sum"),
        traced_cable=("traced_cable", "sum"),
        traced_zone=("traced_zone", "sum"),
        untraced=("untraced", "sum"),
    )
    return summed.reset_index()


def _untraced_findings(prises: pd.DataFrame) -> pd.DataFrame:
    lost = prises[prises["reason"] != ""]
    words = {
        EXTRA: "announced by the address, without a row: inventoried, not traced",
        "sans_pbo": "no PBO by drop, key or zone: not traced",
        "sans_pm": "outside every zone with a known PM, and no cable reaches its PBO: not traced",
        "pm_isole": "its PM is joined to no feed: not traced",
    }
    return merge_findings(
        [
            findings_frame(
                f"prise_non_tracee_{reason}", "majeur" if reason != EXTRA else "mineur", "premise",
                code=group["code"], message=words[str(reason)], delivery=group["delivery"],
            )
            for reason, group in lost.groupby("reason")
        ]
    )  # fmt: skip


def count(inventory: Inventory, network: Network, prises: pd.DataFrame) -> Mapping[str, object]:
    """Give the ``counts`` block of ``summary.json``; traced and untraced add up to inventoried (D15)."""
    by = prises.groupby("traced")["n"].sum()
    reasons = prises[prises["reason"] != ""].groupby("reason")["n"].sum()
    kinds = network.assets["kind"].value_counts()
    return {
        "deliveries": len(inventory.deliveries),
        "prises_inventoried": int(prises["n"].sum()),
        "prises_traced_splice": int(by.get("splice", 0)),
        "prises_traced_cable": int(by.get("cable", 0)),
        "prises_traced_zone": int(by.get("zone", 0)),
        "prises_untraced": int(by.get("", 0)),
        "prises_untraced_reasons": {str(reason): int(n) for reason, n in reasons.items()},
        "prises_ambiguous": int(prises.loc[prises["state"] == "ambiguous", "n"].sum()),
        "assets": {kind: int(kinds.get(kind, 0)) for kind in KINDS},
    }
