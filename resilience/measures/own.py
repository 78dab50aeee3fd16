"""Works that the study itself proposes, in its table ``options``: checked against the network, then drafted.

For whoever knows of works that no rule proposes, or has a quotation for some that one does.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import shapely

from gracethd.network.types import Network
from resilience.fragility import POLES
from resilience.measures.catalogue import OWN
from resilience.measures.sites import name_of, place_of
from resilience.measures.types import Draft, Int
from resilience.objects import object_named
from resilience.parameters import Level
from resilience.sections import StudyError

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry

_ROOMS = ("NRO", "PM")
"""Natures of rooms; the end of a mesure names that which it is done to."""


def own_drafts(options: pd.DataFrame, network: Network) -> list[Draft]:
    """Draft the works of the table ``options``.

    Parameters
    ----------
    options : DataFrame
        From `resilience.tables.read_table`, with its column ``line``.
    network : Network

    Returns
    -------
    list of Draft
        In the order of the table. Works without `mesure` have the mesure `OWN`.

    Raises
    ------
    StudyError
        When an object is not in the network, does not suit the works or has them on two lines, when prices
        are not in order, or when the effect is missing; the message names line and column.
    """
    drafts: list[Draft] = []
    line_of: dict[tuple[str, int], int] = {}
    for row in (
        dict(zip(options.columns, values, strict=True)) for values in options.itertuples(index=False)
    ):
        line = int(row["line"])
        mesure = str(row["mesure"]) or OWN
        named = _objects(network, str(row["objets"]), line)
        treated, changed = _roles(network, mesure, named, line)
        factors = _factors(row, line)
        for asset in named.tolist():
            # own works may differ in what they act against; those of one kind would be done twice
            key = (f"{mesure} {row['libelle'] if mesure == OWN else ''}", asset)
            if key in line_of:
                raise _fault(line, "objets", f"line {line_of[key]} already does this to one of these objects")
            line_of[key] = line
        shape: BaseGeometry | None = row["geometry"]
        lines = _lines(network, treated)
        length_m = lines.length if mesure == "enfouissement" else shape.length if shape is not None else 0.0
        name = name_of(network, int(treated[0]))
        label = row["libelle"] or (f"Enfouir {name} ({length_m:.0f} m)" if mesure == "enfouissement" else "")
        drafts.append(
            Draft(
                mesure=mesure,
                objects=tuple(sorted(network.assets["code"].iloc[treated].astype(str))),
                name=label or name,
                treated=treated,
                changed=changed,
                geometry=shape or (place_of(network, int(treated[0])) if lines.is_empty else lines),
                length_m=float(length_m),
                cost_eur=_costs(row, line),
                hypotheses=_words(factors, line),
                is_named=bool(label),
                factors=factors,
            )
        )
    return drafts


def without_replaced(generated: Iterable[Draft], own: Sequence[Draft]) -> list[Draft]:
    """Leave out generated works that the table has too, on one of the same objects at least."""
    told = {(draft.mesure, asset) for draft in own for asset in _touched(draft)}
    return [
        draft for draft in generated if not any((draft.mesure, asset) in told for asset in _touched(draft))
    ]


def _touched(draft: Draft) -> list[int]:
    return [*draft.treated.tolist(), *draft.changed.tolist()]


def _fault(line: int, column: str, why: str) -> StudyError:
    return StudyError(f"options: line {line}, column {column}: {why}")


def _objects(network: Network, text: str, line: int) -> Int:
    labels = [label.strip() for label in text.split(",") if label.strip()]
    if not labels:
        raise _fault(line, "objets", "at least one kind:code is needed")
    where = f"options: line {line}, column objets"
    numbers = [object_named(network.assets, label, where=where) for label in labels]
    return np.array(sorted(set(numbers)), np.int32)


def _roles(network: Network, mesure: str, named: Int, line: int) -> tuple[Int, Int]:
    """Tell objects that are treated from those that only follow, and refuse what does not suit the works."""
    none = np.empty(0, np.int32)
    assets = network.assets.iloc[named]
    nature = mesure.rpartition("_")[2].upper()
    if nature in _ROOMS and (len(named) != 1 or assets["nature"].iloc[0] != nature):
        raise _fault(line, "objets", f"{mesure} is done to one {nature} a line, named local:CODE")
    if mesure == "enfouissement":
        lines = network.lines
        aerial = lines.loc[lines["typ_imp"].isin(POLES), "asset"]
        is_way = (assets["kind"] == "cheminement").to_numpy()
        ways = named[is_way]
        if not len(ways) or not np.isin(ways, aerial).all():
            raise _fault(
                line, "objets", "enfouissement is done to cheminements that are aerial (typ_imp 0, 1)"
            )
        if not assets.loc[~is_way, "kind"].isin(["ebp", "ptech"]).all():
            raise _fault(
                line, "objets", "only boxes (ebp) and poles (ptech) go underground with cheminements"
            )
        return ways, named[~is_way]
    return named, none


def _factors(row: Mapping[str, Any], line: int) -> dict[str, float]:
    """Give what remains of the failures of each mechanism, for works whose effect the table gives."""
    mechanism, factor = str(row["mecanisme"]), float(row["facteur"])
    if row["mesure"]:
        if mechanism or not np.isnan(factor):
            raise _fault(
                line, "mecanisme", "works with a mesure have its effect; leave mecanisme and facteur out"
            )
        return {}
    if not mechanism or np.isnan(factor):
        raise _fault(
            line, "mecanisme", "works without a mesure need mecanisme and facteur, what remains of it"
        )
    return {mechanism: factor}


def _costs(row: Mapping[str, Any], line: int) -> dict[Level, float]:
    central = float(row["cost_eur_central"])
    low, high = (float(row[f"cost_eur_{level}"]) for level in ("low", "high"))
    costs: dict[Level, float] = {
        "low": central if np.isnan(low) else low,
        "central": central,
        "high": central if np.isnan(high) else high,
    }
    if not 0 <= costs["low"] <= central <= costs["high"]:
        told = ", ".join(f"{cost:g}" for cost in costs.values())
        raise _fault(line, "cost_eur_central", f"prices rise from low to high, none below 0; not {told}")
    return costs


def _words(factors: dict[str, float], line: int) -> str:
    told = [f"défaillances {name} multipliées par {factor:g}" for name, factor in factors.items()]
    return " ; ".join([f"prix de la table options, ligne {line}", *told])


def _lines(network: Network, treated: Int) -> shapely.MultiLineString:
    shapes = network.lines.geometry.to_numpy()[network.lines["asset"].isin(treated)]
    return shapely.MultiLineString(list(shapely.get_parts(shapely.force_2d(shapes))))
