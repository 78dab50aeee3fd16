"""One object explained: what hangs on it, through what, and which other way exists but does not count.

For the engineer who does not believe a line of the SPOF list, and the analyst who wants its sub-network as
layers.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gracethd.network.types import Network
from gracethd.routes.types import Routes
from resilience.explain.case import FATES, carried_by, case_of, downstream_of, prises_behind, upstream_of
from resilience.explain.other_ways import other_ways
from resilience.explain.words import context, from_feed, through, what_it_cuts
from resilience.objects import object_named
from resilience.shared_risk import risk_groups

__all__ = ["FATES", "ROLES", "Explanation", "explain"]

ROLES = ("objet", "membre", "porté", "amont", "aval", "secours")


@dataclass(frozen=True)
class Explanation:
    """What one object cuts, and why nothing replaces it.

    Attributes
    ----------
    label : str
        ``kind:code``.
    lines : tuple of str
        The explanation in words, in French.
    objects : GeoDataFrame
        The sub-network: role (of `ROLES`), reason, kind, code, libelle, segment, prises_cut, prises_stranded,
        geometry; in the order of roles, then from the feed down (amont), else by kind and code.

        - objet: the object itself; membre: of a group; porté: cables that fail with it;
        - amont: cables, rooms and closures between a feed and it; aval: those that lose service with it;
        - secours: cables of another way, and in `reason` whether it counts.
    prises : GeoDataFrame
        What hangs on it: code, n, pbo, pm, nro, fate (of `FATES`), geometry (points). isolée: no way at all
        remains (D8); coupée: cut, but a re-splicing would restore it; incertaine: one of several possible
        routes (D7); secourue: another active route remains (D12).
    """

    label: str
    lines: tuple[str, ...]
    objects: gpd.GeoDataFrame
    prises: gpd.GeoDataFrame


def explain(
    network: Network,
    routes: Routes,
    table: gpd.GeoDataFrame,
    label: str,
    tables: Mapping[str, pd.DataFrame],
) -> Explanation:
    """Explain one object of the SPOF table.

    Parameters
    ----------
    network : Network
    routes : Routes
    table : GeoDataFrame
        The full table of `resilience.spof.spof`.
    label : str
        ``kind:code``, as ``cable:CB012``.
    tables : mapping of str to DataFrame
        Those that `table` was made with.

    Raises
    ------
    StudyError
        When there is no such object; the message proposes the nearest codes.

    Examples
    --------
    >>> told = explain(network, routes, spof(network, routes, {}), "cable:CB012", {})  # doctest: +SKIP
    >>> told.lines[0]  # doctest: +SKIP
    """
    asset = object_named(table, label, where="--asset")
    groups = risk_groups(network, tables)
    case = case_of(network, routes, table, asset, groups)
    prises = prises_behind(case)
    members = np.sort(groups.loc[groups["number"] == asset, "asset"].to_numpy())
    carried = carried_by(case)
    upstream = upstream_of(case)
    downstream = np.setdiff1d(downstream_of(case), np.concatenate([carried, members, upstream, [asset]]))
    other, words = other_ways(case, prises, carried)
    parts = [
        ("objet", np.array([asset]), ""),
        ("membre", members, ""),
        ("porté", np.setdiff1d(carried, np.array([asset])), "tombe avec l'objet"),
        ("amont", upstream, ""),
        ("aval", downstream, ""),
        *(("secours", cables, reason) for cables, reason in other),
    ]
    lines = [
        *what_it_cuts(case, prises),
        *through(case, members, carried),
        *from_feed(case, upstream),
        *words,
        *context(table.loc[[asset]].iloc[0]),
    ]
    return Explanation(label, tuple(lines), _objects(table, parts), prises)


def _objects(
    table: gpd.GeoDataFrame, parts: Iterable[tuple[str, NDArray[np.int64], str]]
) -> gpd.GeoDataFrame:
    names = ["kind", "code", "libelle", "segment", "prises_cut", "prises_stranded", "geometry"]
    frames = []
    for role, assets, reason in parts:
        rows = table.loc[assets, names]
        if role != "amont":
            rows = rows.sort_values(["kind", "code"])
        rows.insert(0, "role", role)
        rows.insert(1, "reason", reason)
        frames.append(rows)
    out = pd.concat(frames)
    out.attrs = {}
    return gpd.GeoDataFrame(out, geometry="geometry", crs=table.crs)
