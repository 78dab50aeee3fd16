"""Which of our rules tells what each control of other checkers tells; ids only, or why there is none."""

import re
from functools import cache
from importlib.resources import files

import pandas as pd

from gracethd.model import attributes

_RANGE = re.compile(r"(?P<stem>.*_[a-z]*)(?P<first>[0-9]+)…(?P<last>[0-9]+)")


@cache
def peer_controls() -> pd.DataFrame:
    """Give the table of families of controls: peer, ids, n (int64), ours (rules, space between), note."""
    with (files(__package__) / "peers.csv").open(encoding="utf-8") as stream:
        table = pd.read_csv(stream, dtype=str, keep_default_na=False)
    return table.astype({"n": "int64"})


def peer_ids(ids: str) -> list[str]:
    """Write out the ids of a family: one id, a range, or one an attribute in the order of the model.

    Examples
    --------
    >>> peer_ids("ctrl_uc_0016…0017")
    ['ctrl_uc_0016', 'ctrl_uc_0017']
    >>> peer_ids("<attribute>_1_r00001…00669")[10]
    'ad_x_ban_1_r00011'
    """
    found = _RANGE.fullmatch(ids)
    if found is None:
        return [ids]
    first, last, width = int(found["first"]), int(found["last"]), len(found["first"])
    numbers = [f"{number:0{width}}" for number in range(first, last + 1)]
    if not ids.startswith("<attribute>"):
        return [found["stem"] + number for number in numbers]
    names = _base_attributes()
    return [f"{name}_1_r{number}" for name, number in zip(names, numbers, strict=True)]


def _base_attributes() -> list[str]:
    """Give the attributes of version 2.0.1 without its patches; a geometry has the prefix of its table."""
    model = attributes("2.0.1")
    base = model[~model["table"].str.contains("_patch20")]
    prefix = base.groupby("table")["attribute"].transform("first").str[:3]
    return (prefix + "geom").where(base["attribute"] == "geom", base["attribute"]).tolist()
