"""The works that can be proposed: families, French words, delays, and what they cost over their life."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from importlib.resources import files
from typing import Literal, cast

import pandas as pd

from resilience.parameters import LEVELS, Level, Parameters

Famille = Literal["BOUCLAGE", "SECURISATION_SITE", "ENFOUISSEMENT", "AUTRE"]
Statut = Literal["proposé", "validé_smo", "aps", "apd", "travaux", "doe", "abandonné"]
OWN = "option"
"""The mesure of works that only the study knows; their effect is what its table ``options`` says."""


@dataclass(frozen=True)
class Work:
    """One line of the catalogue; ``{}`` in `libelle` takes the name of the objects.

    Attributes
    ----------
    famille : Famille
    libelle, autorisations, maitre_ouvrage, financement : str
        In French, as the plan shows them.
    lead, life : str
        Prefixes of the parameters of its delay and of its lifetime; the price of a contract is that of all
        its years.
    is_proposed : bool
        False where a study does not want works of that kind.
    """

    famille: Famille
    libelle: str
    autorisations: str
    maitre_ouvrage: str
    financement: str
    lead: Literal["loop", "burying", "site", "organisation"]
    life: Literal["line", "site", "contract"]
    is_proposed: bool = True


def _shipped() -> dict[str, Work]:
    with (files(__package__) / "catalogue.csv").open(encoding="utf-8") as stream:
        rows = pd.read_csv(stream, dtype=str, keep_default_na=False).to_dict("records")
    texts = [cast("dict[str, str]", row) for row in rows]
    return {row.pop("mesure"): Work(**row) for row in texts}  # type: ignore[arg-type]


WORKS: Mapping[str, Work] = _shipped()
"""By `mesure`, the name that the plan carries: ``catalogue.csv``."""

_TOLD = ("autorisations", "maitre_ouvrage", "financement")
"""What a study may say in place of the catalogue."""


def works_of(table: pd.DataFrame | None) -> Mapping[str, Work]:
    """Give the catalogue with what a study's table ``catalogue`` says in place of it.

    Parameters
    ----------
    table : DataFrame or None
        mesure, autorisations, maitre_ouvrage, financement ("" = as shipped), propose ("non" = not at all).
    """
    if table is None:
        return WORKS
    works = dict(WORKS)
    for row in table.to_dict("records"):
        told = {name: str(row[name]) for name in _TOLD if row[name]}
        mesure = str(row["mesure"])
        works[mesure] = replace(works[mesure], **told, is_proposed=row["propose"] != "non")  # type: ignore[arg-type]
    return works


def present_cost(
    construction_eur: float,
    *,
    years: int,
    discount_rate: float,
    construction_every: int | None = None,
    maintenance_eur: float = 0.0,
    maintenance_every: int = 1,
) -> float:
    """Give the present cost of works that are built, kept up and built again.

    The sum over years 0 to ``years - 1`` of what is spent in the year / (1 + discount_rate)**year: the
    construction in year 0 and every `construction_every` years, between them the maintenance every
    `maintenance_every` years counted from the last construction. The convention of RA2CE.

    Parameters
    ----------
    construction_eur, maintenance_eur : float
    years : int
        Horizon.
    discount_rate : float
        Per year.
    construction_every, maintenance_every : int
        In years, at least 1; construction once by default.

    Examples
    --------
    >>> ra2ce = present_cost(
    ...     1000, years=20, discount_rate=0.025,
    ...     construction_every=10, maintenance_eur=200, maintenance_every=3,
    ... )
    >>> round(ra2ce, 6)
    2704.437935
    """
    again = years if construction_every is None else construction_every
    if min(years, again, maintenance_every) < 1 or discount_rate <= -1:
        raise ValueError("present cost: years and intervals must be at least 1, the rate above -1")
    total = 0.0
    for year in range(years):
        since = year % again
        spent = construction_eur if since == 0 else maintenance_eur if since % maintenance_every == 0 else 0.0
        total += spent / (1.0 + discount_rate) ** year
    return total


def life_factor(work: Work, parameters: Parameters, level: Level) -> float:
    """Give the present cost of works over their lifetime, yearly upkeep included, for one euro of them."""
    if work.life == "contract":
        return 1.0
    return present_cost(
        1.0,
        years=round(parameters.at(f"measure.{work.life}.lifetime_years", level)),
        discount_rate=parameters.at("measure.discount_rate", level),
        maintenance_eur=parameters.at("measure.upkeep.share_per_year", level),
    )


def lifetime_years(work: Work, parameters: Parameters) -> int:
    """Give for how many years works last, or a contract runs: the central value."""
    name = "measure.contract.years" if work.life == "contract" else f"measure.{work.life}.lifetime_years"
    return round(parameters.at(name, "central"))


def at_levels(name: str, parameters: Parameters) -> dict[Level, float]:
    """Give a parameter at each level."""
    return {level: parameters.at(name, level) for level in LEVELS}
