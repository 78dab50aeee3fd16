"""The works that can be proposed: families, French words, delays, and what they cost over their life."""

from dataclasses import dataclass
from typing import Literal

from resilience.parameters import LEVELS, Level, Parameters

Famille = Literal["BOUCLAGE", "SECURISATION_SITE", "ENFOUISSEMENT", "AUTRE"]
Statut = Literal["proposé", "validé_smo", "aps", "apd", "travaux", "doe", "abandonné"]
_STREET = "permission de voirie, DT-DICT"
_PUBLIC_FUNDS = "syndicat et Banque des Territoires (à confirmer)"


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
    """

    famille: Famille
    libelle: str
    autorisations: str
    lead: Literal["loop", "burying", "site", "organisation"]
    life: Literal["line", "site", "contract"]
    maitre_ouvrage: str = "délégataire, après validation du syndicat"
    financement: str = _PUBLIC_FUNDS


WORKS: dict[str, Work] = {
    "batardeau_nro": Work(
        "SECURISATION_SITE", "Protéger le NRO {} contre l'inondation", "aucune connue", "site", "site"
    ),
    "detection_incendie_nro": Work(
        "SECURISATION_SITE",
        "Détecter l'incendie et contrôler l'accès du NRO {}", "aucune connue",
        "site", "site",
    ),
    "extinction_incendie_nro": Work(
        "SECURISATION_SITE", "Éteindre automatiquement l'incendie du NRO {}", "aucune connue", "site", "site"
    ),
    "batteries_nro": Work(
        "SECURISATION_SITE", "Ajouter des batteries au NRO {}", "aucune connue", "site", "site"
    ),
    "groupe_nro": Work(
        "SECURISATION_SITE", "Équiper le NRO {} d'un groupe électrogène",
        "déclaration ICPE selon la puissance", "site", "site",
    ),
    "prise_groupe_nro": Work(
        "SECURISATION_SITE", "Poser une prise de groupe mobile au NRO {}", "aucune connue", "site", "site"
    ),
    "priorite_nro": Work(
        "AUTRE", "Inscrire le NRO {} parmi les clients prioritaires du réseau électrique",
        "accord du distributeur et de la préfecture", "organisation", "contract",
    ),
    "lot_secours_pm": Work(
        "AUTRE", "Tenir prête une armoire de secours pour {}", "aucune connue", "organisation", "site"
    ),
    "contrat_intervention": Work(
        "AUTRE", "Renforcer l'astreinte d'intervention sur {}", "aucune connue", "organisation", "contract"
    ),
    "elagage": Work(
        "AUTRE", "Élaguer le long de {}", "accord des propriétaires riverains", "organisation", "contract"
    ),
    "nro_mobile": Work("AUTRE", "Tenir prêt un NRO mobile pour {}", "aucune connue", "site", "site"),
    "rehausse_pm": Work("SECURISATION_SITE", "Rehausser ou déplacer le PM {}", _STREET, "site", "site"),
    "protection_pm": Work(
        "SECURISATION_SITE", "Protéger le PM {} (potelets, serrure)", "permission de voirie", "site", "site"
    ),
    "enfouissement": Work(
        "ENFOUISSEMENT", "Enfouir {}", f"{_STREET}, coordination de travaux",
        "burying", "line",
    ),
    OWN: Work("AUTRE", "{}", "à préciser", "site", "site"),
    "second_chemin_nro": Work(
        "BOUCLAGE", "Boucler la collecte du NRO {}", f"{_STREET}, convention de génie civil", "loop", "line"
    ),
    "deviation_jambe_nro": Work(
        "BOUCLAGE", "Séparer les deux jambes de la boucle du NRO {}",
        f"{_STREET}, convention de génie civil", "loop", "line",
    ),
    "second_chemin_pm": Work(
        "BOUCLAGE", "Donner un second chemin de transport au PM {}", f"{_STREET}, convention de génie civil",
        "loop", "line",
    ),
}  # fmt: skip
"""By `mesure`, the name that the plan carries."""


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


def life_factor(mesure: str, parameters: Parameters, level: Level) -> float:
    """Give the present cost of a measure over its lifetime, yearly upkeep included, for one euro of works."""
    if WORKS[mesure].life == "contract":
        return 1.0
    return present_cost(
        1.0,
        years=round(parameters.at(f"measure.{WORKS[mesure].life}.lifetime_years", level)),
        discount_rate=parameters.at("measure.discount_rate", level),
        maintenance_eur=parameters.at("measure.upkeep.share_per_year", level),
    )


def at_levels(name: str, parameters: Parameters) -> dict[Level, float]:
    """Give a parameter at each level."""
    return {level: parameters.at(name, level) for level in LEVELS}
