"""Rates updated by what happened: an incident log against the rates without a map.

For the operator who keeps a log. The number of failures of a mechanism over an exposure (kilometre-years of
lines, or years of rooms) is Poisson; what is assumed of its rate before the log is a Gamma distribution, and
so is what is known after it (A. Gelman et al., Bayesian Data Analysis, section 2.6). Two failures in a short
log move a rate little; a long log without any lowers it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd
import shapely
from scipy.stats import gamma

from gracethd.findings import findings_frame, merge_findings
from gracethd.network.types import Network
from resilience.parameters import LEVELS, Parameters, replace_parameters
from resilience.rates import AERIAL, BURIED, annual_rates, rooms

NEAR_M = 30.0
"""An incident known by its place only is that of the nearest room or line this near: assumption."""
INTERVAL = 0.90
"""Share of the Gamma distribution that low and high stand for, before the log and after it."""
NORMAL_90 = 1.6448536269514722
DAYS_A_YEAR = 365.25

RATE_OF: Mapping[str, str] = {
    "aerial_cut": "way.aerial.rate_per_km_year",
    "dig_up": "way.dig_up.rate_per_km_year",
    "nro_fire": "nro.fire.rate_per_year",
    "pm_destroyed": "pm.destroyed.rate_per_year",
}
MECHANISM_OF: Mapping[tuple[str, str], str] = {
    ("aérien", "malveillance"): "aerial_cut",
    ("aérien", "vehicule"): "aerial_cut",
    ("aérien", "vetuste"): "aerial_cut",
    ("enterré", "terrassement"): "dig_up",
    ("nro", "incendie"): "nro_fire",
    ("pm", "incendie"): "pm_destroyed",
    ("pm", "malveillance"): "pm_destroyed",
    ("pm", "vehicule"): "pm_destroyed",
}
"""Mechanism by what failed and the cause; a cause with a map of its own (flood, wind) updates no rate."""
LOG_COLUMNS = (
    "mechanism", "n_events", "exposure", "exposure_unit", "mean_hours", "low_before", "central_before",
    "high_before", "low", "central", "high",
)  # fmt: skip


@dataclass(frozen=True)
class Updated:
    """What a log says of the rates.

    Attributes
    ----------
    parameters : Parameters
        With the rates after the log in place of those before it; sources say on how many events they rest.
    rates : DataFrame
        By mechanism: mechanism, n_events, exposure (in exposure_unit, "km·an" or "an"), mean_hours (of the
        outages that the log gives, NaN without any: beside the repair time of the parameters, which it
        does not change), low_before, central_before, high_before, low, central, high.
    findings : DataFrame
        Incidents that count for no rate, and why.
    """

    parameters: Parameters
    rates: pd.DataFrame
    findings: pd.DataFrame


def update_rates(
    parameters: Parameters, incidents: pd.DataFrame, network: Network, days: tuple[date, date]
) -> Updated:
    """Update the rates without a map by an incident log.

    Before the log a rate is Gamma with its central value as mean, and (high - low) as the width of its 90 %
    interval (normal approximation): shape a = (mean / sd)**2, rate b = a / mean. After n events over an
    exposure T it is Gamma with shape a + n and rate b + T: central is its mean, low and high its 5 % and 95 %
    quantiles. A rate whose low, central and high are equal is known, and stays.

    Parameters
    ----------
    parameters : Parameters
    incidents : DataFrame
        The table ``incidents`` of a study: date, kind, code, x, y, cause, hours.
    network : Network
        What stood during the log: its kilometres and rooms, by mechanism as `annual_rates` shares them.
    days : (date, date)
        First and last day that the log covers, both included. It cannot be read off the log, which begins
        and ends with incidents.

    Returns
    -------
    Updated

    Raises
    ------
    ValueError
        When the last day comes before the first.

    Examples
    --------
    >>> days = date(2021, 1, 1), date(2025, 12, 31)
    >>> update_rates(parameters, log, network, days).rates["n_events"]  # doctest: +SKIP
    """
    begin, end = days
    years = ((end - begin).days + 1) / DAYS_A_YEAR
    if years <= 0:
        raise ValueError(f"the log ends ({end}) before it begins ({begin})")
    mechanism, why = _mechanisms(incidents, network, days)
    exposure = _exposures(annual_rates(network, parameters, "central"), years)
    sources = dict(zip(parameters.table["name"], parameters.table["source"].astype(str), strict=True))
    rows, changes = [], {}
    for name, parameter in sorted(RATE_OF.items()):
        of = (mechanism == name).to_numpy()
        before = tuple(parameters.at(parameter, level) for level in LEVELS)
        at_risk, unit = exposure.get(name, (0.0, ""))
        after = _posterior(before, int(of.sum()), at_risk)
        hours = incidents.loc[of, "hours"].dropna()
        mean_hours = float(hours.mean()) if len(hours) else np.nan
        rows.append([name, int(of.sum()), at_risk, unit, mean_hours, *before, *after])
        if at_risk > 0 and after != before:
            was = sources[parameter]
            text = (
                f"journal d'incidents du {begin} au {end} : {int(of.sum())} événement(s)"
                f" sur {at_risk:.1f} {unit} ; a priori {before[1]:g} ({before[0]:g} à {before[2]:g}) : {was}"
            )
            changes[parameter] = dict(zip(LEVELS, after, strict=True)) | {"source": text}
    table = pd.DataFrame(rows, columns=list(LOG_COLUMNS))
    return Updated(replace_parameters(parameters, changes), table, _not_counted(incidents, why))


def _posterior(before: tuple[float, ...], n_events: int, exposure: float) -> tuple[float, ...]:
    low, central, high = before
    sd = abs(high - low) / (2 * NORMAL_90)
    if sd == 0 or central <= 0 or exposure <= 0:
        return before
    shape = (central / sd) ** 2 + n_events
    rate = central / sd**2 + exposure
    mean = shape / rate
    tail = (1 - INTERVAL) / 2
    ends = [float(gamma.ppf(share, shape, scale=1 / rate)) for share in (tail, 1 - tail)]
    # the mean of a very skewed Gamma lies above its upper quantile
    return min(ends[0], mean), mean, max(ends[1], mean)


def _exposures(rates: pd.DataFrame, years: float) -> dict[str, tuple[float, str]]:
    """Give what each mechanism could have broken during the log: km·years of lines, years of rooms."""
    by_mechanism = rates.groupby("mechanism").agg(km=("length_m", "sum"), n=("asset", "size"))
    return {
        str(name): (float(km) / 1000.0 * years, "km·an") if km > 0 else (float(n) * years, "an")
        for name, km, n in by_mechanism.itertuples()
    }


def _mechanisms(
    incidents: pd.DataFrame, network: Network, days: tuple[date, date]
) -> tuple["pd.Series[str]", "pd.Series[str]"]:
    """Give the mechanism of each incident, "" for none, and why in French where there is none."""
    asset = _assets_of(incidents, network)
    of_asset = np.array([*_natures(network), ""], dtype=object)
    nature, cause = of_asset[asset], incidents["cause"].to_numpy()  # asset -1 is the empty one at the end
    # a digger tells that the line was in the ground, a vehicle that it was not, where the data do not
    is_line = nature == "ligne"
    nature[is_line & (cause == "terrassement")] = "enterré"
    nature[is_line & np.isin(cause.astype(str), ["vehicule", "malveillance", "vetuste"])] = "aérien"
    pairs = pd.Series(list(zip(nature, cause, strict=True)), incidents.index)
    mechanism = pairs.map(MECHANISM_OF).fillna("").astype(str)
    begin, end = (pd.Timestamp(day) for day in days)
    outside = ~incidents["date"].between(begin, end)
    why = pd.Series("", incidents.index, dtype=str)
    why[mechanism == ""] = "cause ou objet sans taux propre (" + incidents["cause"].astype(str) + ")"
    why[asset < 0] = "aucun objet connu à cet endroit ou de ce code"
    why[outside] = "hors des dates du journal"
    return mechanism.mask(why != "", ""), why


def _natures(network: Network) -> list[str]:
    """Tell of each asset whether it is an NRO, a PM, a line (aerial, buried, unknown) or something else."""
    assets = network.assets
    nature = np.where(assets["kind"].isin(["cable", "cheminement", "conduite"]), "ligne", "autre").astype(
        object
    )
    typ_imp = network.lines.drop_duplicates("asset").set_index("asset")["typ_imp"]
    nature[typ_imp.index[typ_imp.isin(AERIAL)]] = "aérien"
    nature[typ_imp.index[typ_imp.isin(BURIED)]] = "enterré"
    nature[(assets["kind"] == "conduite").to_numpy()] = "enterré"
    for name, of in (("pm", "PM"), ("nro", "NRO")):
        places = set(assets["nd_code"].iloc[rooms(assets, of)]) - {""}
        nature[rooms(assets, of)] = name
        # the site of a room is the room, for who writes a log
        nature[(assets["kind"].isin(["site", "local"]) & assets["nd_code"].isin(places)).to_numpy()] = name
    return [str(one) for one in nature]


def _assets_of(incidents: pd.DataFrame, network: Network) -> "np.ndarray[tuple[int], np.dtype[np.int64]]":
    """Give the asset of each incident, by kind and code, else the nearest room or line; -1 for none."""
    assets = network.assets
    named = pd.MultiIndex.from_frame(incidents[["kind", "code"]])
    asset = pd.MultiIndex.from_frame(assets[["kind", "code"]]).get_indexer(named).astype(np.int64)
    placed = np.flatnonzero((incidents["code"] == "").to_numpy() & incidents["x"].notna().to_numpy())
    if not len(placed):
        return asset
    of_rooms = np.concatenate([rooms(assets, "NRO"), rooms(assets, "PM")])
    lines = network.lines
    shapes = np.concatenate([assets.geometry.to_numpy()[of_rooms], lines.geometry.to_numpy()])
    numbers = np.concatenate([of_rooms, lines["asset"].to_numpy(np.int64)])
    tree = shapely.STRtree(shapes)
    points = shapely.points(incidents[["x", "y"]].to_numpy(np.float64)[placed])
    which, nearest = tree.query_nearest(points, max_distance=NEAR_M, all_matches=True)
    found = pd.Series(numbers[nearest]).groupby(placed[which]).min()  # of equals, the first asset
    asset[found.index.to_numpy()] = found.to_numpy()
    return asset


def _not_counted(incidents: pd.DataFrame, why: "pd.Series[str]") -> pd.DataFrame:
    left = incidents[why != ""]
    named = left["code"].where(left["code"] != "", "sans code")
    parts = [
        findings_frame(
            "incident_sans_effet", "info", "incidents", code=named, attribute="cause",
            message=("incident du " + left["date"].dt.strftime("%Y-%m-%d") + " : " + why[why != ""]),
        )
    ]  # fmt: skip
    return merge_findings(parts)
