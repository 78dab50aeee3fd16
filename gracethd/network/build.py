"""From an inventory to the layered network."""

from concurrent.futures import ThreadPoolExecutor

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from gracethd.codes import among, amount, follow
from gracethd.findings import findings_frame, merge_findings
from gracethd.inventory import Inventory
from gracethd.network.assets import list_assets
from gracethd.network.ends import cable_ends, side_by_side
from gracethd.network.fibres import read_fibres
from gracethd.network.layers import cable_layers
from gracethd.network.places import Places, find_places
from gracethd.network.stops import cable_stops, stretches
from gracethd.network.types import Network
from gracethd.network.uses import AssetNumbers, asset_links, cable_uses, number_assets
from gracethd.network.ways import Chains, cable_chains

SEGMENTS = ("collecte", "transport", "distribution", "raccordement")
"""From upstream to downstream."""


def build_network(inventory: Inventory) -> Network:
    """Build the layered network of an inventory: assets, cables in their layers, and what holds them.

    Parameters
    ----------
    inventory : Inventory

    Returns
    -------
    Network

    Examples
    --------
    >>> network = build_network(gracethd.read("livraisons/PM7.zip"))  # doctest: +SKIP
    >>> network.assets.kind.value_counts()  # doctest: +SKIP
    """
    places = find_places(inventory)
    fibres = read_fibres(inventory, places)
    ends, end_findings = cable_ends(inventory, places, fibres)
    cables = _cable_assets(inventory, ends)
    cable = inventory.geo("cable")
    cable = cable[among(cable["cb_code"], cables)]
    with ThreadPoolExecutor(1) as beside:  # chains are geometry, which lets other threads run
        chained = beside.submit(cable_chains, inventory, ends)
        stops, stop_findings = cable_stops(cable, ends, places, fibres, inventory.geo("noeud"))
        between = stretches(stops)
        assets = list_assets(inventory, places, cables)
        number = number_assets(assets)
        chains = chained.result()
    layers, layer_findings = cable_layers(cable, ends, places, fibres, _way_codes(inventory, chains))
    uses = cable_uses(inventory, places, chains, cable, between, number)
    links = asset_links(inventory, places, chains, stops, number)
    assets = assets.assign(length_m=_lengths(assets, inventory)).assign(
        segment=_segments(assets, layers, stops, uses, number), use_source=_sources(assets, uses)
    )
    sections = between.merge(layers[["cable", "layer"]], on="cable")
    sections["layer"] = sections["layer"].replace({"raccordement": "distribution"})
    sections["cable"] = number.of("cable", sections["cable"])
    sections["length_m"] = _section_lengths(sections, assets)
    return Network(
        assets=assets,
        lines=_lines(assets, chains, number),
        ends=ends,
        stops=stops.assign(cable=number.of("cable", stops["cable"])).drop(columns="at_m"),
        sections=sections[["section", "cable", "layer", "stop1", "stop2", "length_m"]],
        uses=uses,
        links=links,
        findings=merge_findings(
            [end_findings, chains.findings, layer_findings, stop_findings, _without_place(places)]
        ),
        places=places,
        fibres=fibres,
    )


def _without_place(places: Places) -> pd.DataFrame:
    return findings_frame(
        "boite_sans_lieu", "majeur", "ebp", code=places.boxes.loc[places.boxes["nd_code"].isna(), "bp_code"],
        message="ni chambre, appui, local ni nœud ne dit où il est : aucun aléa ne l'atteint",
    )  # fmt: skip


def _cable_assets(inventory: Inventory, ends: pd.DataFrame) -> pd.Index:
    """Tell the cables that are assets: patch cords and breakouts stay inside their room (D5)."""
    room = side_by_side(ends, "room")
    inside = room.index[room[1].notna() & (room[1] == room[2])]
    cable = inventory["cable"]
    is_cord = cable["cb_typephy"].isin(("J", "B")) | among(cable["cb_code"], inside)
    return pd.Index(cable.loc[~is_cord, "cb_code"])


def _way_codes(inventory: Inventory, chains: Chains) -> pd.Series:
    code = inventory["cheminement"].set_index("cm_code")["cm_typelog"]
    of_way = chains.ways.assign(code=follow(chains.ways["way"], code).fillna("NC"))
    tally = of_way.groupby("cable")["code"].agg(["nunique", "first"])
    return tally.loc[tally["nunique"] == 1, "first"]


def _lengths(assets: pd.DataFrame, inventory: Inventory) -> np.ndarray:
    """Give metres: of the line, else the laid length of a cable, and for a conduit that of its ways."""
    length = np.nan_to_num(shapely.length(assets["geometry"].to_numpy()))
    real = inventory["cable"].set_index("cb_code")["cb_lgreel"]
    is_bare = (assets["kind"] == "cable").to_numpy() & (length == 0)
    way_length = inventory.geo("cheminement").set_index("cm_code")["geometry"].length
    cond_chem = inventory["cond_chem"]
    of_ways = pd.Series(amount(cond_chem["dm_cm_code"], way_length), index=cond_chem.index)
    of_conduit = of_ways.groupby(cond_chem["dm_cd_code"]).sum()
    is_conduit = (assets["kind"] == "conduite").to_numpy()
    return np.select(
        [is_bare, is_conduit], [amount(assets["code"], real), amount(assets["code"], of_conduit)], length
    )


def _section_lengths(sections: pd.DataFrame, assets: pd.DataFrame) -> np.ndarray:
    """Give metres along the line, else the laid length of a cable in one piece, else NaN: not known."""
    is_whole = sections.groupby("cable")["section"].transform("nunique") == 1
    laid = assets["length_m"].to_numpy()[sections["cable"].to_numpy()]
    laid = np.where(is_whole & (laid > 0), laid, np.nan)
    along = (sections["to_m"] - sections["from_m"]).to_numpy()
    return np.where(np.isnan(along), laid, along)


def _segments(
    assets: pd.DataFrame, layers: pd.DataFrame, stops: pd.DataFrame, uses: pd.DataFrame, number: AssetNumbers
) -> pd.Series:
    """Give the upstream-most layer of the cables that use each asset, or end in or pass it; "" for none."""
    order = layers["layer"].map({name: i for i, name in enumerate(SEGMENTS)})
    of_cable = order.groupby(number.of("cable", layers["cable"])).min()
    parts = [
        pd.DataFrame({"asset": uses["carrier"], "cable": uses["carried"]}),
        pd.DataFrame({"asset": of_cable.index, "cable": of_cable.index}),
    ]
    for kind, column in (("ebp", "ebp"), ("local", "room")):
        rows = stops[stops[column].notna()]
        parts.append(
            pd.DataFrame({"asset": number.of(kind, rows[column]), "cable": number.of("cable", rows["cable"])})
        )
    through = pd.concat(parts, ignore_index=True)
    upstream = through["cable"].map(of_cable).groupby(through["asset"]).min()
    names = upstream.map(dict(enumerate(SEGMENTS)))
    return names.reindex(assets.index).fillna("").astype(str)


def _sources(assets: pd.DataFrame, uses: pd.DataFrame) -> pd.Series:
    source = uses.groupby("carrier")["source"].min()  # "geometry" sorts before "identity": the weaker wins
    return source.reindex(assets.index).fillna("").astype(str)


def _lines(assets: gpd.GeoDataFrame, chains: Chains, number: AssetNumbers) -> gpd.GeoDataFrame:
    """List the physical lines: ways, and the parts of cables that no way covers (D4)."""
    way = assets[(assets["kind"] == "cheminement") & assets["geometry"].notna()]
    of_way = way[["typ_imp", "passage", "segment", "geometry"]].assign(asset=way.index.to_numpy(np.int32))
    bare = chains.bare.assign(asset=number.of("cable", chains.bare["cable"]))
    bare = bare[bare["asset"] >= 0]
    of_cable = gpd.GeoDataFrame(
        {
            "asset": bare["asset"].to_numpy(np.int32),
            "typ_imp": "",
            "passage": "",
            "segment": assets["segment"].to_numpy()[bare["asset"].to_numpy()],
        },
        geometry=gpd.GeoSeries(bare["geometry"].to_numpy(), crs=assets.crs),
    )
    lines = pd.concat([of_way, of_cable], ignore_index=True)
    lines = gpd.GeoDataFrame(lines, geometry="geometry", crs=assets.crs)
    lines["length_m"] = lines.length
    return lines.sort_values("asset", kind="stable", ignore_index=True)[
        ["asset", "typ_imp", "passage", "segment", "length_m", "geometry"]
    ]
