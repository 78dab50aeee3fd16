"""Which parameter the ranking hangs on: one at a time at its low and high value, all others central.

For the analyst who is asked how sure the list is. Beside low, central and high taken all together (DESIGN
D20), this tells which single assumption deserves a survey.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from gracethd.network.types import Network
from gracethd.service import ServiceGraph
from resilience.fragility import failure_probabilities, of_a_year
from resilience.loss import contributions, keys_of_assets, network_loss
from resilience.loss.annual import Tail
from resilience.parameters import LEVELS, Level, Parameters, one_at_a_time
from resilience.rates import annual_rates
from resilience.same_event import joined

TOP = 20
"""First séries and rooms whose ranks are compared."""
COLUMNS = (
    "parameter", "low", "central", "high", "unit", "prises_h_per_year_low", "prises_h_per_year_high",
    "swing_share", "rank_shift", "top_kept", "first_low", "first_high", "source",
)  # fmt: skip
EXPOSURE = "exposition"
"""Name of the intensities themselves, where maps give intervals (classes of depth)."""
_NO_FAILURE = ("cost.", "measure.", "loop.")


@dataclass(frozen=True)
class Setting:
    """What the losses are computed from, all but the parameters.

    Attributes
    ----------
    network : Network
    graph : ServiceGraph
        The nominal one.
    exposure : mapping of Level to DataFrame
        With its column ``hazard_kind``.
    equipment : DataFrame or None
    units : Series of str, by asset number
        From `resilience.loss.units_of`.
    seed, draws : int
    tail : {"none", "constant", "linear"}
    joint : DataFrame or None
        Hazards that come together, from `resilience.same_event.joint_events`.
    groups : DataFrame or None
        The table groupes, for the bridges that it names.
    """

    network: Network
    graph: ServiceGraph
    exposure: Mapping[Level, pd.DataFrame]
    equipment: pd.DataFrame | None
    units: "pd.Series[str]"
    seed: int
    draws: int
    tail: Tail
    joint: pd.DataFrame | None = None
    groups: pd.DataFrame | None = None


@dataclass(frozen=True)
class _Outcome:
    total: float
    rank: "pd.Series[int]"


def one_at_a_time_table(setting: Setting, parameters: Parameters) -> pd.DataFrame:
    """Compute the annual loss and its ranking with each parameter at low and at high, the others central.

    Parameters
    ----------
    setting : Setting
    parameters : Parameters

    Returns
    -------
    DataFrame
        One row per parameter or curve (``curve:name``) that changes any failure, the largest effect on the
        ranking first, then on the loss: parameter, low, central, high (its values; NaN for curves and for
        the intensities themselves, `EXPOSURE`), unit, prises_h_per_year_low and _high (loss of the network
        with it at low and at high), swing_share (their distance, as a share of the central loss), rank_shift
        (largest change of rank among the `TOP` first séries and rooms of the central ranking), top_kept (how
        many of them stay among the first, the worse of the two), first_low, first_high (who is first then),
        source.
        Ranks are by what the network would no longer lose if the série never failed
        (`resilience.loss.contributions`), in the same draws throughout.

    Notes
    -----
    A. Saltelli et al. (2008), Global Sensitivity Analysis, chapter 1: one at a time does not see what two
    parameters do together; low, central and high together stand beside it.
    """
    failures, rates = _failing(setting, parameters, "central")
    base = _outcome(setting, failures, rates)
    rows = []
    for name in _names(setting, parameters):
        found: dict[str, _Outcome] = {}
        for level in ("low", "high"):
            changed = _changed(setting, parameters, name, level)
            same = changed[0].equals(failures) and changed[1].equals(rates)
            found[level] = base if same else _outcome(setting, *changed)
        if all(one is base for one in found.values()):
            continue
        rows.append(_row(name, parameters, base, found["low"], found["high"]))
    table = pd.DataFrame(rows, columns=list(COLUMNS))
    order = ["rank_shift", "swing_share", "parameter"]
    return table.sort_values(order, ascending=[False, False, True], ignore_index=True)


def _names(setting: Setting, parameters: Parameters) -> list[str]:
    names = [str(name) for name in parameters.table["name"] if not str(name).startswith(_NO_FAILURE)]
    own = parameters.curves[parameters.curves["parameter"] == ""]
    names += [f"curve:{name}" for name in own["curve"].drop_duplicates()]
    frames = list(setting.exposure.values())
    return names + ([EXPOSURE] if any(not frames[0].equals(other) for other in frames[1:]) else [])


def _changed(
    setting: Setting, parameters: Parameters, name: str, level: Level
) -> tuple[pd.DataFrame, pd.DataFrame]:
    if name == EXPOSURE:
        return _failing(setting, parameters, level)
    return _failing(setting, one_at_a_time(parameters, name, level), "central")


def _failing(
    setting: Setting, parameters: Parameters, exposed_at: Level
) -> tuple[pd.DataFrame, pd.DataFrame]:
    exposure = setting.exposure[exposed_at]
    failures = failure_probabilities(
        setting.network, exposure, parameters, "central", equipment=setting.equipment, groups=setting.groups
    )
    if setting.joint is not None:
        failures = joined(failures, setting.joint)
    return of_a_year(failures), annual_rates(setting.network, parameters, "central", exposure=exposure)


def _outcome(setting: Setting, failures: pd.DataFrame, rates: pd.DataFrame) -> _Outcome:
    given: dict[str, Any] = {
        "asset_keys": keys_of_assets(setting.network.assets), "seed": setting.seed,
        "draws": setting.draws, "tail": setting.tail,
    }  # fmt: skip
    total = network_loss(setting.graph, failures, rates, **given)["prises_h_per_year"].sum()
    parts = contributions(setting.graph, failures, rates, setting.units, **given)
    rank = pd.Series(np.arange(1, len(parts) + 1), index=parts["serie"].to_numpy())
    return _Outcome(float(total), rank)


def _row(
    name: str, parameters: Parameters, base: _Outcome, low: _Outcome, high: _Outcome
) -> dict[str, object]:
    known = parameters.table[parameters.table["name"] == name]
    values: dict[str, object] = {
        level: float(known[level].iloc[0]) if len(known) else np.nan for level in LEVELS
    }
    top = base.rank.index[:TOP]
    last = len(base.rank) + 1
    shifts = [(one.rank.reindex(top).fillna(last) - base.rank[top]).abs().max() for one in (low, high)]
    kept = [int((one.rank.reindex(top).fillna(last) <= TOP).sum()) for one in (low, high)]
    ends = low.total, high.total
    return {
        "parameter": name,
        **values,
        "unit": str(known["unit"].iloc[0]) if len(known) else "",
        "prises_h_per_year_low": low.total,
        "prises_h_per_year_high": high.total,
        "swing_share": abs(ends[1] - ends[0]) / base.total if base.total else 0.0,
        "rank_shift": int(np.nan_to_num(max(shifts))) if len(top) else 0,
        "top_kept": min(kept),
        "first_low": str(low.rank.index[0]) if len(low.rank) else "",
        "first_high": str(high.rank.index[0]) if len(high.rank) else "",
        "source": str(known["source"].iloc[0]) if len(known) else "",
    }
