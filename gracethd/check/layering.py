"""Rules on layers: what a cable says of itself against its ends and against its ways (DESIGN D6)."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from gracethd.check.built import Built, tell
from gracethd.codes import follow
from gracethd.network.ends import side_by_side
from gracethd.network.layers import LAYERS_OF_CODE


def check_layers(built: Built) -> Iterator[pd.DataFrame]:
    """Find cables whose logical type their ends, or all the types of their ways, contradict."""
    cable = built.inventory["cable"].set_index("cb_code")["cb_typelog"]
    known = cable[cable.isin(list(LAYERS_OF_CODE))]
    yield _by_ends(built, known)
    yield _by_ways(built, known)


def _by_ends(built: Built, code: pd.Series) -> pd.DataFrame:
    ends = built.network.ends[built.network.ends["cable"].isin(code.index)]
    room = built.places.rooms.set_index("room")["nature"]
    box = built.places.boxes.set_index("bp_code")["nature"]
    what = follow(ends["room"], room).replace("", np.nan).fillna(follow(ends["ebp"], box))
    at = (
        side_by_side(ends.assign(what=what.mask(ends["is_premise"], "prise")), "what")
        .astype("str")
        .fillna("")
    )
    pair = pd.Series(np.where(at[1] < at[2], at[1] + "-" + at[2], at[2] + "-" + at[1]), index=at.index)
    to_premise = (at == "prise").any(axis=1)
    layer = pair.map({"NRO-PM": "transport", "NRO-NRO": "collecte", "PBO-PM": "distribution"})
    layer = layer.mask(to_premise, "raccordement").dropna()
    told = code.reindex(layer.index)
    wrong = np.array([one not in LAYERS_OF_CODE[str(of)] for one, of in zip(layer, told, strict=True)], bool)
    detail = "dit " + told[wrong].astype(str) + ", ses extrémités " + layer[wrong].astype(str)
    return tell("couche_contradictoire", "cable", layer.index[wrong], detail=detail, attribute="cb_typelog")


def _by_ways(built: Built, code: pd.Series) -> pd.DataFrame:
    """Hold a cable against the ways that its keys name; a drop in a distribution way is as usual."""
    pairs = keyed_ways(built)
    way = built.inventory["cheminement"].set_index("cm_code")["cm_typelog"]
    pairs = pairs.assign(of_cable=follow(pairs["cable"], code), of_way=follow(pairs["way"], way))
    pairs = pairs[pairs["of_cable"].notna() & pairs["of_way"].isin(list(LAYERS_OF_CODE))]
    kinds = pairs[["of_cable", "of_way"]].drop_duplicates()
    apart = [
        _layers(str(one)).isdisjoint(_layers(str(other)))
        for one, other in zip(kinds["of_cable"], kinds["of_way"], strict=True)
    ]  # at most 121 pairs of codes
    kinds["apart"] = np.array(apart, bool)
    pairs = pairs.merge(kinds, on=["of_cable", "of_way"])
    tally = pairs[pairs["apart"]].groupby("cable").size()
    return tell(
        "couche_cheminement", "cable", tally.index, detail=tally.astype(str) + " cheminement(s)",
        attribute="cb_typelog",
    )  # fmt: skip


def _layers(code: str) -> set[str]:
    return {layer.replace("raccordement", "distribution") for layer in LAYERS_OF_CODE[code]}


def keyed_ways(built: Built) -> pd.DataFrame:
    """Give the ways that keys say carry each cable: codes cable and way, once each."""
    uses, assets = built.network.uses, built.network.assets
    is_way = (assets["kind"] == "cheminement").to_numpy()[uses["carrier"].to_numpy()]
    pairs = uses.loc[is_way & (uses["source"] == "identity").to_numpy(), ["carried", "carrier"]]
    code = assets["code"].to_numpy(object)
    pairs = pairs.drop_duplicates().to_numpy()
    return pd.DataFrame({"cable": code[pairs[:, 0]], "way": code[pairs[:, 1]]}, dtype=str)
