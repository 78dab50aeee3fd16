"""Rules on what is joined: parts without feed, alignments without drawer, boxes without cable or fibre."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from gracethd.check.built import Built, tell
from gracethd.check.settings import Thresholds
from gracethd.codes import amount
from gracethd.connected import connected_parts

if TYPE_CHECKING:
    from gracethd.network.fibres import Fibres

UPSTREAM = {"collecte": 0, "transport": 1, "distribution": 2, "raccordement": 3}


def check_continuity(built: Built, limits: Thresholds) -> Iterator[pd.DataFrame]:
    """Find what light cannot go through: see the rules of family ``reseau``."""
    yield _parts(built)
    yield from _alignments(built)
    yield from _boxes(built)
    yield from _capacity(built)
    yield _openings(built, limits)


def _parts(built: Built) -> pd.DataFrame:
    """Find the connected parts, layers kept apart, that hold no feed: one finding each, on a cable of it."""
    graph, assets = built.routes.physical, built.network.assets
    part = connected_parts(graph.n_vertices, graph.tail, graph.head)
    is_cable = (assets["kind"] == "cable").to_numpy()[graph.edge_asset]
    at = pd.DataFrame({
        "cable": graph.edge_asset[is_cable], "part": part[graph.tail[graph.edge_of[is_cable]]],
    }).drop_duplicates()  # fmt: skip
    fed = at.loc[at["part"] == part[0], "cable"]
    lost = at[~at["cable"].isin(fed)].drop_duplicates("cable")
    lost = lost.assign(code=assets["code"].to_numpy()[lost["cable"]])
    tally = lost.groupby("part")["code"].agg(["min", "size"]).sort_values("min")
    return tell("partie_isolee", "cable", tally["min"], detail=tally["size"].astype(str) + " câble(s)")


def _lit(fibres: "Fibres") -> NDArray[np.bool_]:
    """Tell the alignments that reach a drawer."""
    lit = np.zeros(int(fibres.group.max(initial=-1)) + 1, bool)
    lit[fibres.group[fibres.contacts["fibre"].to_numpy()]] = True
    return lit


def _alignments(built: Built) -> Iterator[pd.DataFrame]:
    """Find spliced alignments without drawer, by their upstream-most cable, and those that are circles."""
    fibres = built.fibres
    if fibres.splices.empty or fibres.contacts.empty:  # that no position was delivered is told once
        return
    of_splice = fibres.group[fibres.splices["fibre1"].to_numpy()]
    n_splices = np.bincount(of_splice, minlength=int(fibres.group.max()) + 1)
    n_fibres = np.bincount(fibres.group)
    row = pd.DataFrame({"group": fibres.group, "cable": fibres.cable})
    dark = row[((n_splices > 0) & ~_lit(fibres))[fibres.group]]
    cables = built.network.assets[built.network.assets["kind"] == "cable"]
    rank = pd.Series(cables["segment"].map(UPSTREAM).to_numpy(), index=pd.Index(cables["code"]))
    dark = dark.assign(rank=rank.reindex(dark["cable"]).to_numpy()).dropna(subset="rank")
    first = dark.sort_values(["group", "rank", "cable"]).drop_duplicates("group")
    tally = first.groupby("cable").size()
    yield tell("alignement_interrompu", "cable", tally.index, detail=tally.astype(str) + " alignement(s)")
    circles = row[(n_splices >= n_fibres)[fibres.group]]
    codes = built.inventory["fibre"]["fo_code"].to_numpy(object)[circles.index]
    first_code = pd.Series(codes, index=circles["group"].to_numpy(), dtype=str).groupby(level=0).min()
    size = circles.groupby("group").size().reindex(first_code.index).astype(str) + " fibres"
    yield tell("epissures_en_boucle", "fibre", first_code, detail=size)


def _boxes(built: Built) -> Iterator[pd.DataFrame]:
    """Find boxes without cable, and PBOs with prises that no fibre of a drawer reaches."""
    boxes, stops = built.places.boxes, built.network.stops
    if stops.empty:
        return
    yield tell("boite_isolee", "ebp", boxes.loc[~boxes["bp_code"].isin(stops["ebp"]), "bp_code"])
    fibres = built.fibres
    if fibres.contacts.empty:
        return
    is_lit = _lit(fibres)[fibres.group]
    spliced = fibres.splices
    in_box = pd.concat([
        pd.DataFrame({"fibre": spliced["fibre1"], "ebp": spliced["ebp"]}),
        pd.DataFrame({"fibre": spliced["fibre2"], "ebp": spliced["ebp"]}),
        fibres.waiting[["fibre", "ebp"]],
    ])  # fmt: skip
    by_fibre = in_box.loc[is_lit[in_box["fibre"].to_numpy()], "ebp"]
    lit_cables = pd.Index(fibres.cable[is_lit]).dropna().unique()
    ends = built.network.ends
    by_cable = ends.loc[ends["cable"].isin(lit_cables), "ebp"]
    tally = _prises_by_pbo(built)
    assets, prises = built.network.assets, built.routes.prises
    distribution = assets.loc[(assets["kind"] == "cable") & (assets["segment"] == "distribution"), "code"]
    is_distribution = pd.Index(fibres.cable).isin(distribution)[fibres.contacts["fibre"].to_numpy()]
    # a PM none of whose drawers names a fibre of distribution was delivered without splices
    judged = prises.loc[prises["pm"].isin(fibres.contacts.loc[is_distribution, "room"]), "pbo"]
    tally = tally[tally.index.isin(judged) & tally.index.isin(stops["ebp"])]
    dark = tally[~tally.index.isin(by_fibre) & ~tally.index.isin(by_cable)]
    yield tell("pbo_sans_fibre", "ebp", dark.index, detail=dark.astype(str) + " prise(s)")


def _prises_by_pbo(built: Built) -> pd.Series:
    """Give the prises of each box of type PBO that has some, by code."""
    prises, boxes = built.routes.prises, built.places.boxes
    is_pbo = boxes.loc[boxes["nature"] == "PBO", "bp_code"]
    return prises[prises["pbo"].isin(is_pbo)].groupby("pbo")["n"].sum()


def _capacity(built: Built) -> Iterator[pd.DataFrame]:
    """Find PBOs with more prises than fibres that end, wait or leave in a drop there."""
    fibres, inventory = built.fibres, built.inventory
    if inventory["fibre"].empty:
        return
    assets = built.network.assets
    drops = assets.loc[(assets["kind"] == "cable") & (assets["segment"] == "raccordement"), "code"]
    is_drop = pd.Index(fibres.cable).isin(drops)
    one, two = fibres.splices["fibre1"].to_numpy(), fibres.splices["fibre2"].to_numpy()
    box = fibres.splices["ebp"].to_numpy(object)
    onward = ~is_drop[one] & ~is_drop[two]
    passed = pd.MultiIndex.from_arrays([np.concatenate([one[onward], two[onward]]), np.tile(box[onward], 2)])
    tally = _prises_by_pbo(built)
    ends = built.network.ends
    ends = ends.loc[ends["ebp"].isin(tally.index) & ~ends["cable"].isin(drops), ["cable", "ebp"]]
    row = pd.DataFrame({"cable": fibres.cable, "fibre": np.arange(len(fibres.cable))})
    ended = row.merge(ends, on="cable")[["fibre", "ebp"]]
    ended = ended[~pd.MultiIndex.from_frame(ended).isin(passed)]
    to_drop = is_drop[one] != is_drop[two]
    given = pd.DataFrame({"fibre": np.where(is_drop[one], two, one)[to_drop], "ebp": box[to_drop]})
    there = pd.concat([ended, given, fibres.waiting[["fibre", "ebp"]]]).drop_duplicates()
    there = there[~is_drop[there["fibre"].to_numpy(np.int64)]]
    n_fibres = pd.Series(amount(tally.index.to_series(), there.groupby("ebp").size()), index=tally.index)
    full = tally[(n_fibres > 0) & (tally > n_fibres)]
    detail = full.astype(str) + " prises, " + n_fibres[full.index].astype(int).astype(str) + " fibres"
    yield tell("pbo_sature", "ebp", full.index, detail=detail)


def _openings(built: Built, limits: Thresholds) -> pd.DataFrame:
    """Find boxes that splice a cable and stand away from its line."""
    network, inventory = built.network, built.inventory
    stops = network.stops[network.stops["ebp"].notna() & network.stops["place"].notna()]
    code = network.assets["code"].to_numpy(object)[stops["cable"].to_numpy()]
    at_end = pd.MultiIndex.from_frame(network.ends[["cable", "place"]])
    inner = ~pd.MultiIndex.from_arrays([code, stops["place"]]).isin(at_end)
    stops, code = stops[inner], pd.Series(code[inner], dtype=str)
    point = inventory.geo("noeud").set_index("nd_code")["geometry"].reindex(stops["place"]).to_numpy(object)
    line = network.assets["geometry"].to_numpy(object)[stops["cable"].to_numpy()]
    away = shapely.distance(line, point) > limits["opening_m"]
    box = pd.Series(stops["ebp"].to_numpy(object)[away], dtype=str)
    return tell("ouverture_loin_cable", "cable", code[away], detail="boîte " + box)
