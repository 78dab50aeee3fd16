"""What fails with what: carriers of each stretch of cable, and the links that a série follows (D3, D10)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gracethd.codes import among, locate
from gracethd.inventory import Inventory
from gracethd.network.places import Places
from gracethd.network.stops import sections_passed
from gracethd.network.ways import Chains


@dataclass(frozen=True)
class AssetNumbers:
    """Rows of the asset table by kind and code; the assets of one kind are neighbours, in code order."""

    codes: Mapping[str, pd.Index]
    first: Mapping[str, int]

    def of(self, kind: str, codes: Iterable[str]) -> NDArray[np.int32]:
        """Give asset numbers by code, -1 where the code is no asset of that kind."""
        at = locate(codes, self.codes.get(kind, pd.Index([], dtype="str")))
        return np.where(at >= 0, at + self.first.get(kind, 0), -1).astype(np.int32)


def number_assets(assets: pd.DataFrame) -> AssetNumbers:
    """Give the numbers of a table of assets, sorted by kind and code."""
    groups = {str(kind): group for kind, group in assets.groupby("kind")["code"]}
    codes = {kind: pd.Index(group) for kind, group in groups.items()}
    return AssetNumbers(codes, {kind: int(group.index[0]) for kind, group in groups.items()})


def cable_uses(
    inventory: Inventory,
    places: Places,
    chains: Chains,
    cable: gpd.GeoDataFrame,
    stretches: pd.DataFrame,
    number: AssetNumbers,
) -> pd.DataFrame:
    """List what each stretch of cable fails with: its ways, conduits, places, chambers, poles and sites.

    Returns
    -------
    DataFrame
        `Network.uses`: carrier, carried (assets), section, source; by identity where both answer.
    """
    way_line = inventory.geo("cheminement").set_index("cm_code")["geometry"]
    point = inventory.geo("noeud").set_index("nd_code")["geometry"]
    line = cable.set_index("cb_code")["geometry"]
    ways = chains.ways[among(chains.ways["cable"], cable["cb_code"])]
    ways = sections_passed(ways, way_line.reindex(ways["way"]).to_numpy(object), line, stretches)
    nodes = chains.nodes[among(chains.nodes["cable"], cable["cb_code"])]
    nodes = sections_passed(nodes, point.reindex(nodes["node"]).to_numpy(object), line, stretches)
    of_conduit = inventory["cond_chem"].rename(columns={"dm_cd_code": "conduit", "dm_cm_code": "way"})
    conduits = chains.conduits.merge(of_conduit[["conduit", "way"]], on="conduit")
    conduits = conduits.merge(ways[["cable", "way", "section"]], on=["cable", "way"])
    parts = [
        _carried(number, "cheminement", ways["way"], ways),
        _carried(number, "conduite", conduits["conduit"], conduits.assign(source="identity")),
        _carried(number, "noeud", nodes["node"], nodes),
    ]
    for kind, node_of in (("ptech", places.ptech_node), ("site", places.site_node)):
        standing = node_of.rename("node").rename_axis("code").reset_index().dropna()
        held = nodes.merge(standing, on="node")
        parts.append(_carried(number, kind, held["code"], held))
    uses = pd.concat(parts, ignore_index=True)
    uses = uses[(uses["carrier"] >= 0) & (uses["carried"] >= 0)]
    uses = uses.sort_values(["carrier", "carried", "section", "source"], ascending=[True, True, True, False])
    return uses.drop_duplicates(["carrier", "carried", "section"]).reset_index(drop=True)


def _carried(number: AssetNumbers, kind: str, codes: pd.Series, held: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "carrier": number.of(kind, codes),
            "carried": number.of("cable", held["cable"]),
            "section": held["section"].to_numpy(),
            "source": held["source"].to_numpy(),
        }
    )


def asset_links(
    inventory: Inventory, places: Places, chains: Chains, stops: pd.DataFrame, number: AssetNumbers
) -> pd.DataFrame:
    """List the pairs of assets that a série may join (D10): `Network.links`."""
    boxed = stops[stops["ebp"].notna()]
    box, standing = places.boxes.dropna(subset="nd_code"), places.ptech_node.dropna()
    cond_chem = inventory["cond_chem"]
    pairs = [
        ("cable", chains.ways["cable"], "cheminement", chains.ways["way"]),
        ("cable", boxed["cable"], "ebp", boxed["ebp"]),
        ("cable", chains.conduits["cable"], "conduite", chains.conduits["conduit"]),
        ("conduite", cond_chem["dm_cd_code"], "cheminement", cond_chem["dm_cm_code"]),
        ("cheminement", chains.way_nodes["way"], "noeud", chains.way_nodes["node"]),
        ("noeud", standing, "ptech", standing.index),
        ("ebp", box["bp_code"], "noeud", box["nd_code"]),
    ]
    frames = [
        pd.DataFrame({"a": number.of(kind1, codes1), "b": number.of(kind2, codes2)})
        for kind1, codes1, kind2, codes2 in pairs
    ]
    links = pd.concat(frames, ignore_index=True)
    links = links[(links["a"] >= 0) & (links["b"] >= 0)].drop_duplicates()
    return links.sort_values(["a", "b"], ignore_index=True)
