"""Where light comes from: the feeds of each connected part of the network (D14)."""

import numpy as np
import pandas as pd

from gracethd.codes import follow
from gracethd.errors import GraceTHDError
from gracethd.network.places import Places

SOURCES = ("table", "heberg", "nro", "pm")
"""In order of preference; the last two say "collecte not judged" and "transport not judged"."""


class FeedError(GraceTHDError):
    """A feed that the study names and the inventory does not know."""


def candidate_feeds(places: Places, nodes: pd.Index, table: pd.DataFrame | None) -> pd.DataFrame:
    """List everything that could feed a part: feed (code), source, nd_code, room (or NaN).

    Parameters
    ----------
    places : Places
    nodes : Index of nd_code
    table : DataFrame or None
        The study's ``feeds``: column ``code`` (nd_code or st_code), or ``noeud``/``site``.

    Raises
    ------
    FeedError
        When a code of the table is neither a node nor a site of the inventory.
    """
    rooms = places.rooms.dropna(subset="nd_code")
    parts = []
    for nature, source in (("HEBERG", "heberg"), ("NRO", "nro"), ("PM", "pm")):
        of_nature = rooms[rooms["nature"] == nature]
        room = (
            of_nature["room"] if nature != "HEBERG" else pd.Series(np.nan, index=of_nature.index, dtype=str)
        )
        parts.append(
            pd.DataFrame(
                {"feed": of_nature["room"], "source": source, "nd_code": of_nature["nd_code"], "room": room}
            )
        )
    if table is not None and len(table):
        code = table["code"].astype(str)
        node = follow(code, places.site_node).fillna(code.where(code.isin(nodes)))
        lost = code[node.isna()]
        if len(lost):
            raise FeedError(
                f"table feeds, code {', '.join(lost)}: neither a node nor a site of the inventory; "
                "give an nd_code or an st_code that the deliveries hold"
            )
        at_nro = rooms[rooms["nature"] == "NRO"].drop_duplicates("nd_code").set_index("nd_code")["room"]
        parts.insert(
            0, pd.DataFrame({"feed": code, "source": "table", "nd_code": node, "room": follow(node, at_nro)})
        )
    return pd.concat(parts, ignore_index=True).drop_duplicates(["feed", "source"])


def choose_feeds(feeds: pd.DataFrame) -> pd.DataFrame:
    """Keep, in each connected part, the feeds of the preferred source.

    Parameters
    ----------
    feeds : DataFrame
        Candidates with the column ``part``; rows of part -1 (on no cable) are left out.
    """
    rank = feeds["source"].map({name: i for i, name in enumerate(SOURCES)})
    best = rank.groupby(feeds["part"]).transform("min")
    kept = feeds[(rank == best) & (feeds["part"] >= 0)]
    return kept.sort_values(["source", "feed", "part"], ignore_index=True)
