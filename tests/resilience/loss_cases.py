"""Tables of failures and small networks for the tests of the annual loss."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gracethd.service import ServiceGraph
from resilience.loss import keys_of_assets
from tests.resilience.service_graphs import service_graph

Row = tuple[int, float, str, float, float]

NO_RATES = pd.DataFrame(
    {
        "asset": np.empty(0, np.int32),
        "mechanism": pd.Series(dtype=str),
        "rate_per_year": np.empty(0),
        "repair_h": np.empty(0),
        "length_m": np.empty(0),
        "is_assumed": np.empty(0, np.bool_),
    }
)


def chain() -> ServiceGraph:
    """Root -- NRO[0] --way[1]-- PM[2](100 prises) --way[3]-- PBO[4](8 prises); asset numbers in brackets."""
    return service_graph(
        [(0, 1), (1, 2), (2, 3)],
        [0, 0, 100, 8],
        vertex_links=[(0, 1), (2, 2), (4, 3)],
        edge_links=[(1, 1), (3, 2)],
    )


def two_legs() -> ServiceGraph:
    """Root ==a[0], b[1]== V(10 prises): two routes, each with one asset."""
    return service_graph([(0, 1), (0, 1)], [0, 10], edge_links=[(0, 0), (1, 1)])


def keys(n_assets: int) -> NDArray[np.uint64]:
    """Give keys of ways CM0, CM1..."""
    codes = [f"CM{i}" for i in range(n_assets)]
    return keys_of_assets(pd.DataFrame({"kind": ["cheminement"] * n_assets, "code": codes}))


def failures(rows: Sequence[Row], hazard: str = "crue") -> pd.DataFrame:
    """Make a table from (asset, return_period, mechanism, p, repair_h); the event of 20 years is Q20."""
    frame = pd.DataFrame(rows, columns=["asset", "return_period", "mechanism", "p", "repair_h"])
    frame = frame.astype({"asset": np.int32, "mechanism": str})
    frame = frame.astype(dict.fromkeys(("return_period", "p", "repair_h"), np.float64))
    return frame.assign(hazard=hazard, scenario="Q" + frame["return_period"].astype(int).astype(str))
