"""From an inventory to the layered network."""

from collections.abc import Iterable

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from gracethd.codes import amount, follow
from gracethd.findings import merge_findings
from gracethd.inventory import Inventory
from gracethd.network.assets import list_assets
from gracethd.network.ends import cable_ends, side_by_side
from gracethd.network.fibres import read_fibres
from gracethd.network.layers import cable_layers
from gracethd.network.places import Places, find_places
from gracethd.network.stops import cable_stops, sections_passed, stretches
from gracethd.network.types import Network
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
    chains = cable_chains(inventory, ends)
    cable = inventory.geo("cable")
    cable = cable[cable["cb_code"].isin(cables)]
    layers, layer_findings = cable_layers(cable, ends, places, fibres, _way_codes(inventory, chains))
    points = inventory.geo("noeud").set_index("nd_code")["geometry"]
    stops, stop_findings = cable_stops(cable, ends, places, fibres, points)
    between = stretches(stops)
    assets = list_assets(inventory, places, cables)
    number = pd.Series(
        assets.index.to_numpy(np.int32), index=pd.MultiIndex.from_frame(assets[["kind", "code"]])
    )
    uses = _uses(inventory, places, chains, cable, between, number)
    links = _links(inventory, places, chains, stops, number)
    assets = _measured(assets, inventory, chains, layers, stops, uses, number)
    sections = between.merge(layers[["cable", "layer"]], on="cable")
    sections["layer"] = sections["layer"].replace({"raccordement": "distribution"})
    sections["cable"] = _numbers(number, "cable", sections["cable"])
    return Network(
        assets=assets,
        lines=_lines(assets, chains, number),
        ends=ends,
        stops=stops.assign(cable=_numbers(number, "cable", stops["cable"])).drop(columns="at_m"),
        sections=sections[["section", "cable", "layer", "stop1", "stop2"]],
        uses=uses,
        links=links,
        findings=merge_findings([end_findings, chains.findings, layer_findings, stop_findings]),
    )


def _cable_assets(inventory: Inventory, ends: pd.DataFrame) -> pd.Index:
    """Tell the cables that are assets: patch cords and breakouts stay inside their room (D5)."""
    room = side_by_side(ends, "room")
    inside = room.index[room[1].notna() & (room[1] == room[2])]
    cable = inventory["cable"]
    is_cord = cable["cb_typephy"].isin(("J", "B")) | cable["cb_code"].isin(inside)
    return pd.Index(cable.loc[~is_cord, "cb_code"])


def _way_codes(inventory: Inventory, chains: Chains) -> pd.Series:
    code = inventory["cheminement"].set_index("cm_code")["cm_typelog"]
    of_way = chains.ways.assign(code=follow(chains.ways["way"], code).fillna("NC"))
    tally = of_way.groupby("cable")["code"].agg(["nunique", "first"])
    return tally.loc[tally["nunique"] == 1, "first"]


def _numbers(number: pd.Series, kind: str, codes: Iterable[str]) -> np.ndarray:
    """Give asset numbers of one kind by code, -1 where the code is no asset."""
    index = number.loc[kind] if kind in number.index.get_level_values(0) else pd.Series(dtype=np.int32)
    return index.reindex(pd.Index(codes)).fillna(-1).to_numpy(np.int32)


def _uses(
    inventory: Inventory,
    places: Places,
    chains: Chains,
    cable: gpd.GeoDataFrame,
    between: pd.DataFrame,
    number: pd.Series,
) -> pd.DataFrame:
    way_line = inventory.geo("cheminement").set_index("cm_code")["geometry"]
    point = inventory.geo("noeud").set_index("nd_code")["geometry"]
    cable_line = cable.set_index("cb_code")["geometry"]
    ways = chains.ways[chains.ways["cable"].isin(cable["cb_code"])]
    ways = sections_passed(ways, way_line.reindex(ways["way"]).to_numpy(), cable_line, between)
    nodes = chains.nodes[chains.nodes["cable"].isin(cable["cb_code"])]
    nodes = sections_passed(nodes, point.reindex(nodes["node"]).to_numpy(), cable_line, between)
    of_conduit = inventory["cond_chem"].rename(columns={"dm_cd_code": "conduit", "dm_cm_code": "way"})
    conduits = (
        chains.conduits.merge(of_conduit[["conduit", "way"]], on="conduit", how="left")
        .merge(ways[["cable", "way", "section"]], on=["cable", "way"])
        .assign(source="identity")
    )
    parts = [
        _carry(number, "cheminement", ways["way"], ways),
        _carry(number, "conduite", conduits["conduit"], conduits),
        _carry(number, "noeud", nodes["node"], nodes),
    ]
    for kind, node_of in (("ptech", places.ptech_node), ("site", places.site_node)):
        standing = node_of.rename("node").rename_axis("code").reset_index().dropna()
        held = nodes.merge(standing, on="node")
        parts.append(_carry(number, kind, held["code"], held))
    uses = pd.concat(parts, ignore_index=True)
    uses = uses[(uses["carrier"] >= 0) & (uses["carried"] >= 0)]
    uses = uses.sort_values(["carrier", "carried", "section", "source"], ascending=[True, True, True, False])
    return uses.drop_duplicates(["carrier", "carried", "section"]).reset_index(drop=True)


def _carry(number: pd.Series, kind: str, codes: pd.Series, held: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "carrier": _numbers(number, kind, codes),
            "carried": _numbers(number, "cable", held["cable"]),
            "section": held["section"].to_numpy(),
            "source": held["source"].to_numpy(),
        }
    )


def _links(
    inventory: Inventory, places: Places, chains: Chains, stops: pd.DataFrame, number: pd.Series
) -> pd.DataFrame:
    """List the pairs of assets that a série may join (D10)."""
    boxed = stops[stops["ebp"].notna()]
    box = places.boxes.dropna(subset="nd_code")
    pairs = [
        ("cable", chains.ways["cable"], "cheminement", chains.ways["way"]),
        ("cable", boxed["cable"], "ebp", boxed["ebp"]),
        ("cable", chains.conduits["cable"], "conduite", chains.conduits["conduit"]),
        ("conduite", inventory["cond_chem"]["dm_cd_code"], "cheminement", inventory["cond_chem"]["dm_cm_code"]),
        ("cheminement", chains.way_nodes["way"], "noeud", chains.way_nodes["node"]),
        ("noeud", places.ptech_node.dropna(), "ptech", places.ptech_node.dropna().index),
        ("ebp", box["bp_code"], "noeud", box["nd_code"]),
    ]
    frames = [
        pd.DataFrame({"a": _numbers(number, kind1, codes1), "b": _numbers(number, kind2, codes2)})
        for kind1, codes1, kind2, codes2 in pairs
    ]
    links = pd.concat(frames, ignore_index=True)
    links = links[(links["a"] >= 0) & (links["b"] >= 0)].drop_duplicates()
    return links.sort_values(["a", "b"], ignore_index=True)


def _measured(
    assets: gpd.GeoDataFrame,
    inventory: Inventory,
    chains: Chains,
    layers: pd.DataFrame,
    stops: pd.DataFrame,
    uses: pd.DataFrame,
    number: pd.Series,
) -> gpd.GeoDataFrame:
    """Add segment, length and the source of use to the assets."""
    length = np.nan_to_num(shapely.length(assets["geometry"].to_numpy()))
    real = inventory["cable"].set_index("cb_code")["cb_lgreel"]
    is_cable = (assets["kind"] == "cable").to_numpy()
    length = np.where(is_cable & (length == 0), amount(assets["code"], real), length)
    way_length = inventory.geo("cheminement").set_index("cm_code")["geometry"].length
    conduit_length = inventory["cond_chem"].assign(m=amount(inventory["cond_chem"]["dm_cm_code"], way_length))
    conduit_length = conduit_length.groupby("dm_cd_code")["m"].sum()
    is_conduit = (assets["kind"] == "conduite").to_numpy()
    length = np.where(is_conduit, amount(assets["code"], conduit_length), length)
    order = layers["layer"].map({name: i for i, name in enumerate(SEGMENTS)})
    of_cable = order.groupby(_numbers(number, "cable", layers["cable"])).min()
    boxed, roomed = stops[stops["ebp"].notna()], stops[stops["room"].notna()]
    through = pd.concat(
        [
            pd.DataFrame({"asset": uses["carrier"], "cable": uses["carried"]}),
            *(
                pd.DataFrame(
                    {
                        "asset": _numbers(number, kind, rows[column]),
                        "cable": _numbers(number, "cable", rows["cable"]),
                    }
                )
                for kind, rows, column in (("ebp", boxed, "ebp"), ("local", roomed, "room"))
            ),
            pd.DataFrame({"asset": of_cable.index, "cable": of_cable.index}),
        ],
        ignore_index=True,
    )
    upstream = through["cable"].map(of_cable).groupby(through["asset"]).min()
    names = upstream.map(dict(enumerate(SEGMENTS)))
    source = uses.groupby("carrier")["source"].min()  # "geometry" sorts before "identity": the weaker wins
    return assets.assign(
        segment=names.reindex(assets.index).fillna("").astype(str),
        length_m=length,
        use_source=source.reindex(assets.index).fillna("").astype(str),
    )


def _lines(assets: gpd.GeoDataFrame, chains: Chains, number: pd.Series) -> gpd.GeoDataFrame:
    """List the physical lines: ways, and the parts of cables that no way covers (D4)."""
    way = assets[(assets["kind"] == "cheminement") & assets["geometry"].notna()]
    of_way = way[["typ_imp", "passage", "segment", "geometry"]].assign(asset=way.index.to_numpy(np.int32))
    bare = chains.bare.assign(asset=_numbers(number, "cable", chains.bare["cable"]))
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
