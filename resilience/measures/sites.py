"""Drafts of works on rooms: raise, wall in, watch, protect, keep powered, stand in for."""

import re
from collections.abc import Mapping

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from gracethd.network.types import Network
from resilience.measures.catalogue import at_levels
from resilience.measures.types import Draft, Int, Situation
from resilience.parameters import LEVELS, Level, Parameters

_FLOODED = {
    "batardeau_nro": (
        "nro.flood",
        "cost.nro_flood.eur",
        "measure.nro_barrier.height_m",
        "protection de {} m",
    ),
    "rehausse_pm": ("pm.flood", "cost.pm_raise.eur", "measure.pm_raise.height_m", "rehausse de {} m"),
}
_RATED = {
    "detection_incendie_nro": (
        "nro_fire", "cost.nro_fire_detection.eur", "measure.nro_fire_detection.rate_factor",
        "fréquence d'incendie multipliée par {}",
    ),
    "extinction_incendie_nro": (
        "nro_fire", "cost.nro_fire_suppression.eur", "measure.nro_fire_suppression.repair_factor",
        "heures d'arrêt après incendie multipliées par {}",
    ),
    "protection_pm": (
        "pm_destroyed", "cost.pm_protection.eur", "measure.pm_protection.rate_factor",
        "fréquence de destruction multipliée par {}",
    ),
}  # fmt: skip


_POWERED = {
    "batteries_nro": (
        "nro.power", "cost.nro_batteries.eur", "measure.nro_batteries.hours_h",
        "{} h de secteur coupé en plus",
    ),
    "groupe_nro": (
        "nro.power", "cost.nro_generator.eur", "measure.nro_generator.fails_share",
        "ne démarre pas dans une part de {} des coupures",
    ),
    "prise_groupe_nro": (
        "nro.power", "cost.nro_inlet.eur", "measure.nro_inlet.connected_h",
        "groupe mobile branché en {} h",
    ),
}  # fmt: skip


def room_drafts(
    network: Network, situations: Mapping[Level, Situation], cut: NDArray[np.int64], parameters: Parameters
) -> list[Draft]:
    """Draft the works on each room that water or a rate reaches at some level and that serves somebody.

    Parameters
    ----------
    network : Network
    situations : mapping of Level to Situation
    cut : (n_assets,) int64
        Prises cut with each asset alone.
    parameters : Parameters
    """
    works = {mesure: (*work, "failures", "p") for mesure, work in (_FLOODED | _POWERED).items()}
    works |= {mesure: (*work, "rates", "rate_per_year") for mesure, work in _RATED.items()}
    drafts = []
    for mesure, (mechanism, cost, effect, words, table, column) in works.items():
        rows = pd.concat([getattr(situations[level], table) for level in LEVELS])
        rows = rows[(rows["mechanism"] == mechanism) & (rows[column] > 0)]
        hypotheses = words.format(three_values(at_levels(effect, parameters)))
        price = at_levels(cost, parameters)
        drafts += [
            Draft(
                mesure=mesure,
                objects=(str(network.assets["code"].iloc[room]),),
                name=name_of(network, room),
                treated=np.array([room], np.int32),
                changed=np.empty(0, np.int32),
                geometry=place_of(network, room),
                length_m=0.0,
                cost_eur=price,
                hypotheses=hypotheses,
            )
            for room in np.unique(rows["asset"].to_numpy())
            if cut[room] > 0
        ]
    return drafts


def place_of(network: Network, asset: int) -> shapely.Point | None:
    """Give the point where an asset stands: its own, else that of its node; None where neither is known."""
    assets = network.assets
    point = assets.geometry.iloc[asset]
    if isinstance(point, shapely.Point) and not point.is_empty:
        return point
    at_node = assets[(assets["kind"] == "noeud") & (assets["code"] == assets["nd_code"].iloc[asset])]
    node = at_node.geometry.iloc[0] if len(at_node) else None
    return node if isinstance(node, shapely.Point) else None


def name_of(network: Network, asset: int) -> str:
    """Give what the delivery calls an asset, without the "NRO" or "PM" that the label says, else its code."""
    libelle = network.assets["libelle"].iloc[asset]
    named = libelle if isinstance(libelle, str) and libelle else network.assets["code"].iloc[asset]
    return re.sub(r"^(NRO|PM|SRO)[ _-]+(?=.)", "", str(named))


def three_values(values: Mapping[Level, float]) -> str:
    """Give the values of a parameter in French words: central (low to high)."""
    low, central, high = (f"{values[level]:g}".replace(".", ",") for level in LEVELS)
    return f"{central} ({low} à {high})"


def limited(
    drafts: list[Draft], exposed: NDArray[np.float64], most: int
) -> tuple[list[Draft], dict[str, int]]:
    """Keep, of each kind of works, the most exposed ones, and count the others.

    Parameters
    ----------
    drafts : list of Draft
    exposed : (n_assets,) float64
        Prises·h per year that each asset costs alone; a draft counts those of its treated objects.
    most : int
        Kept of each kind.
    """
    kept, omitted = [], {}
    for mesure in sorted({draft.mesure for draft in drafts}):
        of = [draft for draft in drafts if draft.mesure == mesure]
        of.sort(key=lambda draft: (-float(exposed[_weighed(draft)].sum()), draft.objects))
        kept += of[:most]
        if len(of) > most:
            omitted[mesure] = len(of) - most
    return kept, omitted


def _weighed(draft: Draft) -> Int:
    return draft.treated if draft.link is None else draft.link.protects
