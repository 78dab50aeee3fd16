"""What tracing gives."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import pandas as pd

from gracethd.service import ServiceGraph


@dataclass(frozen=True)
class Routes:
    """Demand, how each prise is served today, and the two graphs that losses are computed on.

    Attributes
    ----------
    nominal, physical : ServiceGraph
        Over the same asset numbers (rows of ``Network.assets``).
    prises : DataFrame
        One row per inventoried premise (several prises where an address announces them): code, n (int64),
        pbo, pm, nro (codes or ""), zone (zs_code or ""), traced (splice|cable|zone or "" = untraced), reason
        (why untraced, or ""), state (complete|ambiguous|broken), vertex_nominal, vertex_physical (int32, -1
        untraced), insee (where the delivery says it), delivery, x, y.
    rooms : DataFrame
        One row per NRO and PM room: asset, code, nature (NRO|PM), name, nro (of a PM), vertex_nominal,
        vertex_physical, prises.
    feeds : DataFrame
        feed (code), kind, source (table|heberg|nro|pm): the choice made for each connected part (D14).
    levels : DataFrame
        zone, level (0-3), prises, traced_splice, traced_cable, traced_zone, untraced.
    counts : mapping
        The ``counts`` block of summary.json.
    findings : DataFrame
    """

    nominal: ServiceGraph
    physical: ServiceGraph
    prises: pd.DataFrame
    rooms: pd.DataFrame
    feeds: pd.DataFrame
    levels: pd.DataFrame
    counts: Mapping[str, object]
    findings: pd.DataFrame = field(repr=False)
