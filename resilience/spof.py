"""Single points of failure: what each object of the network cuts when it fails alone, or its group with it.

`spof` gives the full table, one row for every asset; `collapse` the list that people read.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import shapely
from numpy.typing import NDArray

from gracethd.codes import among
from gracethd.network.types import Network
from gracethd.outputs.publish import DIFFUSION
from gracethd.routes.types import Routes
from gracethd.service import ServiceGraph
from resilience.alternatives import alternatives, cables_of_edges
from resilience.losses import (
    LossIndex,
    behind_losses_of_assets,
    depths_of_assets,
    index_graph,
    losses_of_assets,
    lost_vertices,
    maximal_losses_of_assets,
    signatures_of_assets,
)
from resilience.parameters import Parameters, default_parameters
from resilience.series import serie_of_assets
from resilience.shared_risk import GROUP_KINDS, group_rows, risk_groups, with_groups
from resilience.stakes import communes_around, stakes

Long = NDArray[np.int64]

COLUMNS = (
    "kind", "code", "libelle", "segment", "commune", "epci", "prises_cut", "prises_cut_max",
    "prises_stranded", "abonnes_cut", "n_pm", "n_nro", "prises_own", "prises_transit", "sites_sensibles",
    "n_cables", "protected", "n_alternatives", "srlg", "serie", "same_as", "use_source",
    "prises_cut_identity", "prises_sans_cuivre",
    "gravite", "vraisemblance", "criticite", "rank", "diffusion", "geometry",
)  # fmt: skip
FROM_TABLES = {"abonnes_cut": "abonnes", "sites_sensibles": "sites", "prises_sans_cuivre": "sans_cuivre"}
SPECIFIC = (
    "ouvrage",
    "local",
    "ebp",
    "ptech",
    "site",
    "noeud",
)  # what a row of a list is, the most specific first


def spof(
    network: Network,
    routes: Routes,
    tables: Mapping[str, pd.DataFrame],
    *,
    failures_per_year: pd.Series | None = None,
    duration_h: pd.Series | None = None,
    on_date: date | None = None,
    parameters: Parameters | None = None,
) -> gpd.GeoDataFrame:
    """Tell what every asset cuts: the full table, one row per (kind, code) (D1 to D13, D20).

    Parameters
    ----------
    network : Network
    routes : Routes
    tables : mapping of str to DataFrame
        Those of `resilience.tables.load_tables`; of use here: communes, abonnes, sites_sensibles, cuivre,
        groupes and equipements. Groups (`resilience.shared_risk.risk_groups`) get a row each, after the
        assets, of kind ``groupe``, ``zone_elec`` or ``ouvrage``.
    failures_per_year, duration_h : Series of float, optional
        By asset number: how often it fails, and how long its repair takes.
    on_date : date, optional
        See `resilience.stakes.stakes`.
    parameters : Parameters, optional
        The shipped ones by default; ``class.gravite_*`` and ``class.vraisemblance_*`` (central) are the
        limits of the classes.

    Returns
    -------
    GeoDataFrame
        Columns of `COLUMNS`. The index is the asset number (groups go on from there).

        - prises_cut, prises_cut_max, prises_stranded: int64 (D7, D8, D9).
        - commune, epci: codes, of the commune around a point of the object near its middle.
        - abonnes_cut, sites_sensibles, prises_sans_cuivre: Int64, of what is cut.
        - n_pm, n_nro: rooms that lose service. prises_own, prises_transit (D13): Int64, for the room, site
          and node of an NRO.
        - n_cables: distinct cables that fail with the object or end in it.
        - protected, n_alternatives: D12 (see `resilience.alternatives`); <NA> for groups.
        - srlg: ``kind:code`` of the smallest group (D11) that holds the object and cuts more; the groups of
          a cable are its carriers, those of a box or room the chamber, pole or site of its place, and those
          of `risk_groups`.
        - serie, same_as (``kind:code`` of what is in the same place and cuts and strands the same), rank.
        - prises_cut_identity: Int64, prises_cut by keys alone, where it differs (D3, D4).
        - gravite: Int64, the highest of the classes by prises, by sensitive sites (two NROs: 4) and by hours
          where given; vraisemblance where failures are given; criticite their product (slr.md 2.2).

        Columns whose table is absent are empty and named in ``attrs["absent"]``; ``attrs`` counts what could
        not be placed, and the assets whose n_alternatives was not searched.

    Examples
    --------
    >>> worst = spof(network, routes, {}).sort_values("rank").head(10)  # doctest: +SKIP
    """
    groups = risk_groups(network, tables)
    nominal, physical = (with_groups(graph, groups) for graph in (routes.nominal, routes.physical))
    counts, left_out = stakes(routes, tables, on_date=on_date)
    cut_index = index_graph(nominal, counts.to_numpy(np.int64))
    stranded_index = index_graph(physical, physical.prises)
    lost = pd.DataFrame(losses_of_assets(cut_index), columns=counts.columns)
    table = _identity(network, groups, tables.get("communes"))
    table["prises_cut"] = lost["prises"]
    table["prises_cut_max"] = maximal_losses_of_assets(cut_index)[:, 0]
    table["prises_stranded"] = losses_of_assets(stranded_index)[:, 0]
    table["n_pm"], table["n_nro"] = lost["n_pm"], lost["n_nro"]
    for name, column in FROM_TABLES.items():
        known = lost[column] if column in lost else pd.Series(pd.NA, index=table.index)
        table[name] = known.astype("Int64")
    table["prises_own"], table["prises_transit"] = _roles(network, routes, cut_index, lost["prises"])
    table["n_cables"] = _n_cables(network, nominal)
    behind = behind_losses_of_assets(cut_index)[:, 0]
    table["protected"] = (behind > 0) & (table["prises_cut"] == 0) & (table["prises_cut_max"] == 0)
    ways = alternatives(
        network, replace(routes, nominal=nominal, physical=physical), cut_index, stranded_index
    )
    table["n_alternatives"] = ways.where(~table["kind"].isin(GROUP_KINDS))
    table["srlg"] = _smallest_groups(network, groups, table)
    cut_signature, stranded_signature = signatures_of_assets(cut_index), signatures_of_assets(stranded_index)
    n = len(network.assets)
    serie = serie_of_assets(
        network, lost["prises"].to_numpy()[:n], cut_signature[:n], depths_of_assets(cut_index)[:n]
    )
    table["serie"] = serie.reindex(table.index, fill_value="")
    table["same_as"] = _same_place(network, np.hstack([cut_signature, stranded_signature])[:n]).reindex(
        table.index, fill_value=""
    )
    _name_single_crossings(table, groups)
    table["prises_cut_identity"] = _cut_by_keys(network, nominal, table["prises_cut"])
    parameters = default_parameters() if parameters is None else parameters
    table["gravite"] = _gravite(table["prises_cut"], lost, duration_h, parameters)
    table["vraisemblance"] = _vraisemblance(failures_per_year, table.index, parameters)
    table["criticite"] = table["gravite"] * table["vraisemblance"]
    table["rank"] = _ranks(table)
    table["diffusion"] = pd.Series(DIFFUSION, index=table.index, dtype=str)
    out = gpd.GeoDataFrame(table[list(COLUMNS)], geometry="geometry", crs=network.assets.crs)
    out.attrs.update(left_out)
    out.attrs["absent"] = _absent(tables, failures_per_year)
    out.attrs["groupes_not_found"] = groups.attrs["not_found"]
    out.attrs["n_alternatives_not_searched"] = ways.attrs["not_searched"]
    return out


def collapse(table: gpd.GeoDataFrame, *, min_prises: int = 10, drops: bool = False) -> gpd.GeoDataFrame:
    """Give the list that people read: one row per place (D10), the worst first, ranked anew.

    Parameters
    ----------
    table : GeoDataFrame
        From `spof`.
    min_prises : int
        Rows with fewer prises_cut are left out.
    drops : bool
        Keep the assets of segment raccordement (D2).

    Returns
    -------
    GeoDataFrame
        Same columns and index. Of the assets of one place that cut and strand the same, the most specific
        in `table` stands for the others, named in its `same_as`. ``attrs["left_out"]`` counts the rows left
        out, in this order: below_min_prises, drops, same_place.
    """
    small = table["prises_cut"] < min_prises
    is_drop = ~small & (table["segment"] == "raccordement") & (not drops)
    rows = table[~small & ~is_drop]
    shared = rows[rows["same_as"] != ""]
    own, other = shared["kind"] + ":" + shared["code"], _before(shared["same_as"], ", ")
    own_order = shared["kind"].map(_order).fillna(len(SPECIFIC))
    other_order = _before(other, ":").map(_order).fillna(len(SPECIFIC))
    is_first = (own_order == other_order) & (own < other)
    # what a filter has taken out of the table stands for nothing
    is_doubled = among(other, rows["kind"] + ":" + rows["code"]) & (other_order <= own_order) & ~is_first
    doubled = is_doubled.reindex(rows.index, fill_value=False)
    out = rows[~doubled].sort_values("rank")
    out["rank"] = np.arange(1, len(out) + 1, dtype=np.int64)
    counts = {"below_min_prises": small, "drops": is_drop, "same_place": doubled}
    out.attrs = {**table.attrs, "left_out": {name: int(rows.sum()) for name, rows in counts.items()}}
    return out


def _before(texts: pd.Series, mark: str) -> pd.Series:
    """Give what stands before the first `mark` of each text, all of it where there is none."""
    parts = pc.split_pattern(pa.array(texts, pa.large_string()), mark, max_splits=1)
    return pd.Series(pc.list_element(parts, 0), index=texts.index, dtype=str)


_order = {kind: i for i, kind in enumerate(SPECIFIC)}


def _identity(network: Network, groups: pd.DataFrame, communes: pd.DataFrame | None) -> gpd.GeoDataFrame:
    """Give the columns that say what and where each row is."""
    names = ["kind", "code", "libelle", "segment", "use_source", "geometry"]
    more = group_rows(network, groups)
    table = pd.concat([network.assets[names], more[names]], ignore_index=True)
    table[names[:-1]] = table[names[:-1]].fillna("").astype(str)
    table = gpd.GeoDataFrame(table, geometry="geometry", crs=network.assets.crs)
    if isinstance(communes, gpd.GeoDataFrame):
        around = communes_around(shapely.point_on_surface(table["geometry"].to_numpy()), communes)
        table["commune"], table["epci"] = around["code_insee"], around["epci"]
    else:
        table["commune"], table["epci"] = pd.Series("", table.index, str), pd.Series("", table.index, str)
    return table


def _roles(
    network: Network, routes: Routes, index: LossIndex, prises_cut: pd.Series
) -> tuple[pd.Series, pd.Series]:
    """Split what the room, site and node of each NRO cut: prises of its own PMs, and of others (D13)."""
    assets, prises = network.assets, routes.prises[routes.prises["vertex_nominal"] >= 0]
    rooms = routes.rooms[(routes.rooms["nature"] == "NRO") & (routes.rooms["vertex_nominal"] >= 0)]
    place = assets["nd_code"].reindex(rooms["asset"]).to_numpy()
    nro_at = pd.Series(rooms["code"].to_numpy(), index=place)
    around = assets[assets["kind"].isin(("site", "noeud")) & assets["nd_code"].isin(set(place) - {""})]
    pairs = [*zip(rooms["asset"], rooms["code"], strict=True)]
    pairs += [(asset, code) for asset, node in around["nd_code"].items() for code in nro_at.loc[[node]]]
    own = pd.Series(pd.NA, index=prises_cut.index, dtype="Int64")
    n_of = {
        code: (rows["vertex_nominal"].to_numpy(), rows["n"].to_numpy())
        for code, rows in prises.groupby("nro")
    }
    for asset in sorted({int(asset) for asset, _ in pairs}):
        lost = lost_vertices(index, np.array([asset]))
        codes = sorted({code for other, code in pairs if other == asset and code in n_of})
        own.iloc[asset] = sum(int(n_of[code][1][lost[n_of[code][0]]].sum()) for code in codes)
    return own, prises_cut.where(own.notna()).astype("Int64") - own


def _n_cables(network: Network, graph: ServiceGraph) -> Long:
    """Count the distinct cables of the edges that each asset owns or that meet its vertices."""
    cable = cables_of_edges(graph, network)
    owner = [graph.edge_asset]
    carried = [cable[graph.edge_of]]
    at_vertex = pd.DataFrame({"asset": graph.vertex_asset, "vertex": graph.vertex_of})
    for end in (graph.tail, graph.head):
        laid = pd.DataFrame({"vertex": end, "cable": cable})[cable >= 0]
        met = at_vertex.merge(laid, on="vertex")
        owner.append(met["asset"].to_numpy(np.int32))
        carried.append(met["cable"].to_numpy(np.int32))
    pairs = pd.DataFrame({"asset": np.concatenate(owner), "cable": np.concatenate(carried)})
    pairs = pairs[pairs["cable"] >= 0].drop_duplicates()
    return np.bincount(pairs["asset"].to_numpy(), minlength=graph.n_assets).astype(np.int64)


def _smallest_groups(network: Network, groups: pd.DataFrame, table: pd.DataFrame) -> pd.Series:
    """Name the group of fewest members, then least cut, that holds each asset and cuts more (D11)."""
    assets = network.assets
    node = assets.loc[assets["nd_code"] != "", ["kind", "nd_code"]].rename_axis("asset").reset_index()
    holder = node[node["kind"].isin(("ptech", "site"))].rename(columns={"asset": "group"})
    held = node[node["kind"].isin(("ebp", "local"))]
    # a group holds its members and the cables that they carry
    through = groups[["number", "asset"]].merge(network.uses, left_on="asset", right_on="carrier")
    in_groups = pd.concat(
        [groups[["number", "asset"]], through[["number", "carried"]].set_axis(["number", "asset"], axis=1)]
    )
    carried = network.uses[(assets["kind"].reindex(network.uses["carrier"]) != "noeud").to_numpy()]
    pairs = pd.concat(
        [
            carried[["carrier", "carried"]].rename(columns={"carrier": "group", "carried": "asset"}),
            holder[["group", "nd_code"]].merge(held[["asset", "nd_code"]], on="nd_code")[["group", "asset"]],
            in_groups[["number", "asset"]].rename(columns={"number": "group"}),
        ],
        ignore_index=True,
    )
    pairs = pairs.drop_duplicates().astype(np.int64)
    pairs["size"] = pairs.groupby("group")["asset"].transform("size")
    cut = table["prises_cut"].to_numpy()
    pairs["cut"] = cut[pairs["group"].to_numpy()]
    pairs = pairs[pairs["cut"] > cut[pairs["asset"].to_numpy()]]
    pairs["label"] = (table["kind"] + ":" + table["code"]).to_numpy()[pairs["group"].to_numpy()]
    least = pairs.sort_values(["asset", "size", "cut", "label"]).drop_duplicates("asset").set_index("asset")
    return least["label"].reindex(table.index).fillna("").astype(str)


def _same_place(network: Network, signatures: NDArray[np.uint64]) -> pd.Series:
    """Name the other assets of the place that cut and strand the same, the most specific first (D10).

    The most specific names all others; each of these names the most specific only.
    """
    assets = network.assets
    out = pd.Series("", index=assets.index, dtype=str)
    rows = assets[(assets["nd_code"] != "").to_numpy() & (signatures != 0).any(axis=1)]
    keys = pd.DataFrame(signatures[rows.index], index=rows.index).assign(place=rows["nd_code"])
    rows = pd.DataFrame(
        {
            "group": keys.groupby(list(keys.columns), sort=True).ngroup(),
            "order": rows["kind"].map(_order).fillna(len(SPECIFIC)),
            "label": rows["kind"] + ":" + rows["code"],
        }
    ).sort_values(["group", "order", "label"])
    rows["turn"] = rows.groupby("group").cumcount()
    first = rows[rows["turn"] == 0].reset_index().set_index("group")
    others = pd.Series("", index=first.index, dtype=str)
    for turn in range(1, int(rows["turn"].max() if len(rows) else 0) + 1):
        label = rows[rows["turn"] == turn].set_index("group")["label"]
        others[label.index] += ", " + label
    out[first["index"].to_numpy()] = others.str.removeprefix(", ").to_numpy()
    later = rows[rows["turn"] > 0]
    out[later.index] = first["label"].reindex(later["group"]).to_numpy()
    return out


def _name_single_crossings(table: pd.DataFrame, groups: pd.DataFrame) -> None:
    """Name a crossing of one way and that way in each other's `same_as`."""
    crossings = groups[groups["kind"] == "ouvrage"]
    single = crossings[~crossings["number"].duplicated(keep=False)]
    label = table["kind"] + ":" + table["code"]
    for one, other in (("asset", "number"), ("number", "asset")):
        table.loc[single[one], "same_as"] = label.reindex(single[other]).to_numpy()


def _cut_by_keys(network: Network, graph: ServiceGraph, prises_cut: pd.Series) -> pd.Series:
    """Give the prises cut where uses found by geometry alone are left out, and <NA> where it is the same."""
    uses = network.uses
    n = graph.n_assets
    key = uses["carrier"].to_numpy(np.int64) * n + uses["carried"].to_numpy()
    is_drawn = (uses["source"] == "geometry").to_numpy()
    drawn = np.setdiff1d(key[is_drawn], key[~is_drawn])
    same = pd.Series(pd.NA, index=prises_cut.index, dtype="Int64")
    if not len(drawn):
        return same
    link = graph.edge_asset.astype(np.int64) * n + cables_of_edges(graph, network)[graph.edge_of]
    kept = ~np.isin(link, drawn)
    told = replace(graph, edge_asset=graph.edge_asset[kept], edge_of=graph.edge_of[kept])
    cut = losses_of_assets(index_graph(told, told.prises))[:, 0]
    return same.mask(cut != prises_cut.to_numpy(), pd.Series(cut, index=same.index, dtype="Int64"))


def class_limits(name: str, unit: str, parameters: Parameters) -> list[float]:
    """Give the least values of classes 2, 3 and 4 (``class.<name>_<class>.<unit>``, central), rising."""
    return sorted(parameters.at(f"class.{name}_{level}.{unit}", "central") for level in (2, 3, 4))


def _gravite(
    prises_cut: pd.Series, lost: pd.DataFrame, duration_h: pd.Series | None, parameters: Parameters
) -> pd.Series:
    classes = [
        1 + np.searchsorted(class_limits("gravite", "prises", parameters), prises_cut, side="right"),
        np.where(lost["n_nro"] >= 2, 4, 1),
    ]
    if "sites" in lost:
        classes += [
            np.where(lost[name] > 0, level, 1)
            for name, level in (("sites", 2), ("sites_3", 3), ("sites_4", 4))
        ]
    if duration_h is not None:
        hours = duration_h.reindex(prises_cut.index).fillna(0.0)
        limits = class_limits("gravite", "hours", parameters)
        classes.append(1 + np.searchsorted(limits, hours, side="right"))
    return pd.Series(np.max(classes, axis=0), index=prises_cut.index, dtype=np.int64)


def _vraisemblance(failures_per_year: pd.Series | None, index: pd.Index, parameters: Parameters) -> pd.Series:
    if failures_per_year is None:
        return pd.Series(pd.NA, index=index, dtype="Int64")
    rate = failures_per_year.reindex(index)
    *limits, most = class_limits("vraisemblance", "per_year", parameters)
    level = 1 + np.searchsorted(limits, rate.fillna(0.0), side="right") + (rate > most).to_numpy()
    return pd.Series(level, index=index, dtype="Int64").mask(rate.isna())


def _ranks(table: pd.DataFrame) -> Long:
    keys = ["prises_cut", "prises_stranded", "kind", "code"]
    order = table.sort_values(keys, ascending=[False, False, True, True]).index
    return (
        pd.Series(np.arange(1, len(table) + 1, dtype=np.int64), index=order).reindex(table.index).to_numpy()
    )


def _absent(tables: Mapping[str, pd.DataFrame], failures_per_year: pd.Series | None) -> list[str]:
    """Name the columns left empty because what they come from was not given."""
    columns = {
        "communes": ["commune", "epci"],
        "abonnes": ["abonnes_cut"],
        "sites_sensibles": ["sites_sensibles"],
        "cuivre": ["prises_sans_cuivre"],
    }
    absent = [name for table, names in columns.items() if table not in tables for name in names]
    return absent + (["vraisemblance", "criticite"] if failures_per_year is None else [])
