"""Fibres of the cables of one delivery, and the positions that join them in boxes and drawers."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from gracethd.synth.network import SynthNetwork
from gracethd.synth.parts import Part
from gracethd.synth.roads import Ints

_CASSETTE = 12
_LAYER_DIGIT = {"CO": "1", "TR": "2", "DI": "3"}


@dataclass(frozen=True)
class Splices:
    """Level 3 of a delivery.

    Attributes
    ----------
    fibres : DataFrame
        fo_code, cb_code, n (1..capacity).
    positions : DataFrame
        ps_code, numero (in the cassette), ps_1, ps_2 ("" none), cs_code, ti_code ("" in a box), fonct.
    cassettes : DataFrame
        cs_code, bp_code ("" in a drawer), num.
    drawers : DataFrame
        ti_code, ba_code.
    """

    fibres: pd.DataFrame
    positions: pd.DataFrame
    cassettes: pd.DataFrame
    drawers: pd.DataFrame


def splice(network: SynthNetwork, part: Part) -> Splices:
    """Join the fibres of each slot in every box from the drawer at the root to the PBO, PM or NRO.

    In a PBO the fibre of a connected premise is spliced with its drop; that of another one waits (AT), in
    the order of the premises.
    """
    cables = part.cables
    slots = _slots(cables)
    incoming = cables[cables["box2"] >= 0].reset_index(names="cable").set_index("box2")["cable"]
    joined = slots[slots["box1"] >= 0]
    rooted = slots[slots["site1"] >= 0]
    ended = slots[slots["site2"] >= 0]
    pieces = [
        _at_boxes(
            network,
            joined["box1"],
            _fibre(network, incoming, joined["box1"], joined["slot"]),
            joined["fibre"],
        ),
        _at_sites(network, part, rooted["site1"], rooted["fibre"]),
        _at_sites(network, part, ended["site2"], ended["fibre"]),
    ]
    drops = part.premises
    if len(drops):
        own = _fibre(network, incoming, drops["box"], drops["slot"])
        drop = pd.Series(np.where(drops["connected"], "FO" + drops["code"].str[2:] + "001", ""), dtype=str)
        pieces.append(_at_boxes(network, drops["box"], own, drop))
    positions = _numbered(pd.concat(pieces, ignore_index=True), _LAYER_DIGIT[part.layer])
    fibres = _fibres(cables["cb_code"], cables["capacity"])
    served = drops.loc[drops["connected"], "code"] if len(drops) else pd.Series(dtype=str)
    fibres = pd.concat([fibres, _fibres("CB" + served.str[2:], pd.Series(1, index=served.index))])
    cassettes = positions.drop_duplicates("cs_code")[["cs_code", "bp_code", "num"]]
    drawers = positions.loc[positions["ti_code"] != "", ["ti_code", "ba_code"]].drop_duplicates()
    return Splices(
        fibres=fibres.reset_index(drop=True),
        positions=positions.drop(columns=["bp_code", "ba_code", "num"]),
        cassettes=cassettes.sort_values("cs_code").reset_index(drop=True),
        drawers=drawers.sort_values("ti_code").reset_index(drop=True),
    )


def _slots(cables: pd.DataFrame) -> pd.DataFrame:
    """Give one row per cable and slot that it carries, with the fibre that carries it."""
    used = cables["used"].to_numpy()
    row = np.repeat(np.arange(len(cables)), used)
    rank = np.arange(len(row)) - np.repeat(np.cumsum(used) - used, used)
    slots = cables[["box1", "site1", "site2"]].iloc[row].reset_index(drop=True)
    slots["slot"] = cables["first"].to_numpy()[row] + rank
    slots["fibre"] = _fibre_codes(cables["cb_code"].iloc[row], rank + 1)
    return slots


def _fibre_codes(cable: pd.Series, rank: Ints) -> list[str]:
    return [f"FO{code[2:]}{n:03d}" for code, n in zip(cable, rank.tolist(), strict=True)]


def _fibre(network: SynthNetwork, incoming: pd.Series, box: pd.Series, slot: pd.Series) -> list[str]:
    """Give the fibre of a slot in the cable that comes to a box from the root side."""
    cable = network.cables.loc[incoming.loc[box.to_numpy()].to_numpy()]
    return _fibre_codes(cable["cb_code"], slot.to_numpy() - cable["first"].to_numpy() + 1)


def _fibres(cable: pd.Series, capacity: pd.Series) -> pd.DataFrame:
    count = capacity.to_numpy()
    code = cable.iloc[np.repeat(np.arange(len(cable)), count)]
    rank = np.arange(len(code)) - np.repeat(np.cumsum(count) - count, count) + 1
    return pd.DataFrame({"fo_code": _fibre_codes(code, rank), "cb_code": code.to_numpy(), "n": rank})


def _at_boxes(network: SynthNetwork, box: pd.Series, first: list[str], second: pd.Series) -> pd.DataFrame:
    code = network.boxes["bp_code"].to_numpy()[box.to_numpy()]
    other = second.to_numpy()
    return pd.DataFrame(
        {
            "holder": [value[2:] for value in code],
            "ps_1": first,
            "ps_2": other,
            "fonct": np.where(other == "", "AT", "EP"),
            "bp_code": code,
            "ti_code": "",
            "ba_code": "",
        }
    )


def _at_sites(network: SynthNetwork, part: Part, site: pd.Series, fibre: pd.Series) -> pd.DataFrame:
    rack = network.sites["ba_code"].to_numpy()[site.to_numpy()]
    holder = [value[2:] for value in rack]
    return pd.DataFrame(
        {
            "holder": holder,
            "ps_1": fibre.to_numpy(),
            "ps_2": "",
            "fonct": "CO",
            "bp_code": "",
            "ti_code": [f"TI{value}{_LAYER_DIGIT[part.layer]}" for value in holder],
            "ba_code": rack,
        }
    )


def _numbered(positions: pd.DataFrame, layer: str) -> pd.DataFrame:
    """Fill cassettes of 12 in each holder, in the order of the fibres."""
    ordered = positions.sort_values(["holder", "ps_1", "ps_2"], ignore_index=True)
    rank = ordered.groupby("holder").cumcount().to_numpy()
    num = rank // _CASSETTE + 1
    ordered["num"] = num
    ordered["numero"] = rank % _CASSETTE + 1
    holder = ordered["holder"].to_numpy()
    ordered["cs_code"] = [f"CS{h}{layer}{k:03d}" for h, k in zip(holder, num.tolist(), strict=True)]
    ordered["ps_code"] = [f"PS{h}{layer}{k:05d}" for h, k in zip(holder, rank.tolist(), strict=True)]
    return ordered.drop(columns="holder")
