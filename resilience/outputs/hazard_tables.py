"""What hazards do to the network, as tables to read: by hazard, by kind of asset, by commune."""

from collections.abc import Sequence
from math import nan

import pandas as pd

from gracethd.outputs.labels import Language, is_missing, phrase, value_label, written
from resilience.hazards import WATER_KINDS, Hazard, HazardKind
from resilience.mechanisms import ANSWERS, effect_of

EVENT = ["hazard", "scenario", "return_period"]


def event_words(scenario: object, years: object, language: Language) -> str:
    """Name an event as titles do: by its return period, else by its name.

    Examples
    --------
    >>> event_words("Q20", 20.0, "en"), event_words("observé 2023-11-10", float("nan"), "fr")
    ('20 years', 'observé 2023-11-10')
    """
    if is_missing(years):
        return str(scenario)
    return phrase("event_years", language, years=written(years, "int", language))


def events_of(frame: pd.DataFrame) -> list[tuple[str, str, float]]:
    """Give the events of a frame, by hazard, then return period (those without one last), then name."""
    events = frame[EVENT].drop_duplicates().sort_values(["hazard", "return_period", "scenario"])
    return list(events.itertuples(index=False, name=None))


def kind_of(rows: pd.DataFrame) -> HazardKind:
    """Give the kind of the hazard that rows are of; water where there is no row."""
    kind: HazardKind = rows["hazard_kind"].iloc[0] if len(rows) else "flood_depth"
    return kind


def exposure_summary(exposure: pd.DataFrame) -> pd.DataFrame:
    """Count assets touched, untouched and not mapped, by hazard, event and kind of asset.

    Parameters
    ----------
    exposure : DataFrame
        hazard, scenario, return_period, kind, code, intensity_max, intensity_unit, wet_m, length_m,
        mapped_share.

    Returns
    -------
    DataFrame
        hazard, scenario, return_period (NaN without one), kind, n_assets, n_wet (touched: in the water, the
        wind, a class above 0), n_dry, n_unmapped (int64), wet_km, length_km, unmapped_km, intensity_max
        (strongest, NaN where nothing is mapped), intensity_unit. An asset that comes in several lines counts
        once; it is touched when one line is, not mapped when none is mapped.
    """
    events = exposure[[*EVENT, "intensity_unit"]].drop_duplicates(EVENT)
    events = events.sort_values(["hazard", "return_period", "scenario"], ignore_index=True)
    number = pd.MultiIndex.from_frame(events[["hazard", "scenario"]])
    event = number.get_indexer(pd.MultiIndex.from_frame(exposure[["hazard", "scenario"]]))
    length = exposure["length_m"].fillna(0.0)
    rows = exposure.assign(
        event=event, _unmapped_m=length * (1 - exposure["mapped_share"].fillna(0.0)), _length_m=length
    )
    assets = rows.groupby(["event", "kind", "code"], sort=True).agg(
        intensity_max=("intensity_max", "max"), wet_m=("wet_m", "sum"), length_m=("_length_m", "sum"),
        unmapped_m=("_unmapped_m", "sum"),
    ).reset_index()  # fmt: skip
    strength = assets["intensity_max"]
    assets = assets.assign(n_wet=strength > 0, n_dry=strength <= 0, n_unmapped=strength.isna())
    summary = assets.groupby(["event", "kind"], sort=True).agg(
        n_assets=("code", "size"), n_wet=("n_wet", "sum"), n_dry=("n_dry", "sum"),
        n_unmapped=("n_unmapped", "sum"), wet_km=("wet_m", "sum"),
        length_km=("length_m", "sum"), unmapped_km=("unmapped_m", "sum"),
        intensity_max=("intensity_max", "max"),
    ).reset_index()  # fmt: skip
    kilometres = ["wet_km", "length_km", "unmapped_km"]
    summary = summary.assign(**{name: summary[name] / 1000 for name in kilometres})
    named = events.take(summary.pop("event").to_numpy()).reset_index(drop=True)
    unit = named.pop("intensity_unit")
    return pd.concat([named, summary, unit], axis=1)


def footprints_in_words(exposure: pd.DataFrame, summary: pd.DataFrame, language: Language) -> list[str]:
    """Say in a sentence each what waters touch that no yearly loss tells well: extents, observed, rising.

    Parameters
    ----------
    exposure : DataFrame
        hazard, hazard_kind.
    summary : DataFrame
        Its `exposure_summary`.
    language : {"fr", "en"}
    """
    kinds = exposure.drop_duplicates("hazard").set_index("hazard")["hazard_kind"]
    kind = summary["hazard"].map(kinds)
    is_told = (kind == "flood_extent") | (kind.isin(list(WATER_KINDS)) & summary["return_period"].isna())
    sentences = []
    for (hazard, scenario), rows in summary[is_told].groupby(["hazard", "scenario"], sort=False):
        of = rows.set_index("kind")
        touched = {
            name: written(of["n_wet"].get(name, 0), "int", language) for name in ("local", "ebp", "ptech")
        }
        km = written(of["wet_km"].get("cheminement", 0.0), "dec", language)
        words = event_words(scenario, rows["return_period"].iloc[0], language)
        sentences.append(phrase("text_footprint", language, hazard=hazard, event=words, km=km, **touched))
    return sentences


def unmapped_summary(unmapped: pd.DataFrame, communes: pd.DataFrame | None = None) -> pd.DataFrame:
    """Tell what each hazard says nothing about in each commune, at its event that is mapped least.

    Parameters
    ----------
    unmapped : DataFrame
        From `resilience.exposure.unmapped_by_commune`.
    communes : DataFrame, optional
        code_insee, nom.

    Returns
    -------
    DataFrame
        hazard, code_insee, commune (its name, the code where it is not known), n_objets, n_non_cartographies
        (point assets, and those outside the map), length_km, unmapped_km, unmapped_share (of the length, of
        the assets where there is no line); communes that are mapped whole have no row. What is not mapped
        most comes first.
    """
    worst = unmapped.sort_values(["unmapped_m", "n_non_cartographies"], ascending=False, kind="stable")
    worst = worst.drop_duplicates(["hazard", "code_insee"])
    worst = worst[(worst["unmapped_m"] > 0) | (worst["n_non_cartographies"] > 0)]
    by_assets = worst["n_non_cartographies"] / worst["n_objets"].where(worst["n_objets"] > 0)
    by_length = worst["unmapped_m"] / worst["length_m"].where(worst["length_m"] > 0)
    names = {}
    if communes is not None and {"code_insee", "nom"} <= set(communes.columns):
        names = dict(zip(communes["code_insee"].tolist(), communes["nom"].tolist(), strict=True))
    summary = pd.DataFrame(
        {
            "hazard": worst["hazard"],
            "code_insee": worst["code_insee"],
            "commune": [names.get(code, code) for code in worst["code_insee"].tolist()],
            "n_objets": worst["n_objets"],
            "n_non_cartographies": worst["n_non_cartographies"],
            "length_km": worst["length_m"] / 1000,
            "unmapped_km": worst["unmapped_m"] / 1000,
            "unmapped_share": by_length.fillna(by_assets).fillna(0.0),
        }
    )
    order = ["unmapped_km", "n_non_cartographies", "hazard", "code_insee"]
    return summary.sort_values(order, ascending=[False, False, True, True], ignore_index=True)


def hazards_summary(
    hazards: Sequence[Hazard], exposure: pd.DataFrame, loss: pd.DataFrame | None
) -> pd.DataFrame:
    """Tell of each hazard what was read, where it was looked for, what it touches and what it leads to.

    Parameters
    ----------
    hazards : sequence of Hazard
    exposure : DataFrame
        Of these hazards.
    loss : DataFrame, optional
        origin, cause, prises_h_per_year_central: the part of each hazard.

    Returns
    -------
    DataFrame
        hazard, hazard_kind, events (tuple of name and years), coverage ("extent", "valid" or a file), n_wet
        and n_unmapped (assets touched, and not mapped; each at the event where they are most), effect
        (`resilience.mechanisms.effect_of`), together (the event that it comes with, or ""),
        prises_h_per_year_central (NaN where it has no part of its own). `hazards_in_words` is what people
        read.
    """
    summed = exposure_summary(exposure).groupby(EVENT[:2])[["n_wet", "n_unmapped"]].sum()
    worst = summed.groupby("hazard").max()
    rows = [
        {
            "hazard": hazard.name,
            "hazard_kind": str(hazard.kind),
            "events": tuple((event.scenario, event.return_period) for event in hazard.events),
            "coverage": hazard.coverage if isinstance(hazard.coverage, str) else hazard.coverage.name,
            "n_wet": int(worst["n_wet"].get(hazard.name, 0)),
            "n_unmapped": int(worst["n_unmapped"].get(hazard.name, 0)),
            "effect": effect_of(hazard, hazards),
            "together": hazard.same_event,
            "prises_h_per_year_central": _own_loss(hazard, hazards, loss),
        }
        for hazard in hazards
    ]
    return pd.DataFrame(rows)


def hazards_in_words(hazards: pd.DataFrame, language: Language) -> pd.DataFrame:
    """Give `hazards_summary` with its events, coverage and effect in words."""
    rows = hazards.to_dict("records")
    events = [", ".join(event_words(name, years, language) for name, years in row["events"]) for row in rows]
    there = {"extent", "valid"}
    coverage = [
        phrase(f"coverage_{row['coverage']}", language) if row["coverage"] in there else row["coverage"]
        for row in rows
    ]
    effect = [_effect_words(row["hazard_kind"], row["effect"], row["together"], language) for row in rows]
    words = {"events": events, "coverage": coverage, "effect": effect}
    return hazards.assign(**words).drop(columns="together", errors="ignore")


def _own_loss(hazard: Hazard, hazards: Sequence[Hazard], loss: pd.DataFrame | None) -> float:
    """Give the yearly loss that is this hazard's alone: of its events, or of the rate that it alone feeds."""
    if loss is None or hazard.same_event:
        return nan
    answer = ANSWERS.get(hazard.kind)
    is_rate = answer is not None and answer.is_rate
    if is_rate and sum(other.kind == hazard.kind for other in hazards) > 1:
        return nan
    causes = answer.mechanisms if answer is not None and is_rate else (hazard.name,)
    own = loss[(loss["origin"] == ("rate" if is_rate else "event")) & loss["cause"].isin(causes)]
    return float(own["prises_h_per_year_central"].sum()) if len(own) else nan


def _effect_words(kind: HazardKind, effect: str, together: str, language: Language) -> str:
    answer = ANSWERS.get(kind)
    broken = () if answer is None else answer.mechanisms
    words = ", ".join(_within(value_label("mechanism", name, language)) for name in broken)
    shared = phrase("effect_together", language, event=together) if together else ""
    return phrase(f"effect_{effect}", language, mechanisms=words) + shared


def _within(words: str) -> str:
    """Give words as they stand within a sentence: "Boîtier inondé" loses its capital, "NRO inondé" not."""
    return words if words[:2].isupper() else words[:1].lower() + words[1:]
