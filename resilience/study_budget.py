"""The section ``[budget]`` of a study: what may be spent, on what, where, when, and what is decided."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from resilience.sections import Section, StudyError

FAMILIES = ("BOUCLAGE", "SECURISATION_SITE", "ENFOUISSEMENT", "AUTRE")
"""Families of works, as `resilience.measures` has them, without loading it."""
STATUTS = ("proposé", "validé_smo", "aps", "apd", "travaux", "doe", "abandonné")
"""How far a work of a plan is, as `resilience.measures` has it, without loading it."""
_KEYS = ("total_eur", "families", "floors", "years_eur", "force", "forbid")


@dataclass(frozen=True)
class Budget:
    """What may be spent, before VAT, at the price year of the parameters.

    Attributes
    ----------
    total_eur : float
    families : mapping of str to float
        Most that the works of a family may cost together.
    floors : mapping of str to float
        Least that is to be spent in a commune (INSEE code) or an EPCI (code).
    years_eur : sequence of float
        Envelope of each year; what one year leaves goes to the next. Empty = everything may begin at once.
    force, forbid : sequence of str
        `action_id` of works that are, or are not, in the plan whatever they avoid.
    """

    total_eur: float
    families: Mapping[str, float] = field(default_factory=dict)
    floors: Mapping[str, float] = field(default_factory=dict)
    years_eur: Sequence[float] = ()
    force: Sequence[str] = ()
    forbid: Sequence[str] = ()


def read_budget(raw: Section) -> Budget:
    """Read the section, or say in the user's words what is wrong with it.

    Raises
    ------
    StudyError
    """
    raw.refuse_unknown(_KEYS)
    years = _listed(raw, "years_eur")
    amounts = Section(raw.full("years_eur"), {str(i): value for i, value in enumerate(years)})
    years_eur = tuple(_amount(amounts, key) for key in amounts.values)
    total = raw.number("total_eur", default=sum(years_eur) if years_eur else None)
    if total <= 0:
        raise StudyError(f"{raw.full('total_eur')}: {total:g}; give an amount above 0, or leave [budget] out")
    if years_eur and abs(total - sum(years_eur)) > 0.005:
        raise StudyError(
            f"{raw.full('total_eur')}: {total:,.0f} €, while years_eur sum to {sum(years_eur):,.0f} €; "
            "leave one of them out"
        )
    families, floors = raw.section("families"), raw.section("floors")
    families.refuse_unknown(FAMILIES)
    return Budget(
        total,
        {name: _amount(families, name) for name in families.values},
        {name: _amount(floors, name) for name in floors.values},
        years_eur,
        *(tuple(str(name) for name in _listed(raw, key)) for key in ("force", "forbid")),
    )


def _listed(raw: Section, key: str) -> list[object]:
    return raw.items(key) if key in raw.values else []


def _amount(raw: Section, key: str) -> float:
    amount = raw.number(key)
    if amount < 0:
        raise StudyError(f"{raw.full(key)}: {amount:g}; a number of euros, 0 or more, is expected")
    return amount
