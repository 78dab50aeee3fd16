"""The list of single points of failure that ``resilience spof`` prints: what is chosen, what is said."""

import difflib
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd

from gracethd.errors import GraceTHDError
from gracethd.network import KINDS
from gracethd.network.build import SEGMENTS
from gracethd.outputs.labels import column_label
from gracethd.routes import Routes
from resilience.results import MIN_PRISES
from resilience.sections import near_name
from resilience.shared_risk import GROUP_KINDS

SHOWN = 20
_SHOWN_COLUMNS = (
    "rank", "kind", "code", "segment", "prises_cut", "prises_cut_max", "prises_stranded", "protected",
)  # fmt: skip


@dataclass(frozen=True)
class Filters:
    """What of the table a user asks for: a kind, a segment, a commune (INSEE code), from how many prises.

    ``None`` stands for all.
    """

    kind: str | None = None
    segment: str | None = None
    commune: str | None = None
    min_prises: int = MIN_PRISES

    def named(self) -> dict[str, str]:
        """Give the filters that are set, by name, the number of prises apart."""
        values = {"kind": self.kind, "segment": self.segment, "commune": self.commune}
        return {name: value for name, value in values.items() if value is not None}

    def words(self) -> list[str]:
        """Say in French which filters are set, in one line or none."""
        set_to = [f"{column_label(name).lower()} {value}" for name, value in self.named().items()]
        return [f"filtres : {', '.join(set_to)}"] if set_to else []

    def check(self, *, asset: str | None, public: bool) -> None:
        """Refuse, before anything is read, a kind or segment that does not exist and options that clash.

        Raises
        ------
        GraceTHDError
            Also when `--public` or `--asset` comes with a filter, or with each other: sums over a part of
            the objects would let others be found by subtraction, and one object needs no filter.
        """
        closed = (("kind", self.kind, (*KINDS, *GROUP_KINDS)), ("segment", self.segment, SEGMENTS))
        for name, value, known in closed:
            if value is not None and value not in known:
                raise GraceTHDError(f"--{name} {value!r} does not exist; {near_name(value, known)}")
        named = [f"--{name}" for name in self.named()]
        named += ["--min-prises"] if self.min_prises != MIN_PRISES else []
        alone = [name for name, given in (("--public", public), ("--asset", asset is not None)) if given]
        if alone and len(alone + named) > 1:
            raise GraceTHDError(f"{' and '.join([*alone, *named])} do not go together; give {alone[0]} alone")


def chosen(
    table: gpd.GeoDataFrame, filters: Filters, *, communes: pd.DataFrame | None = None
) -> gpd.GeoDataFrame:
    """Keep the rows of one kind, one segment and one commune.

    Raises
    ------
    GraceTHDError
        When no object stands in the commune; `communes` (code_insee, nom) helps to tell which was meant.
    """
    if filters.commune is not None:
        _check_commune(table, filters.commune, communes)
    keep = np.ones(len(table), np.bool_)
    for name, value in filters.named().items():
        keep &= (table[name] == value).to_numpy()
    out = table[keep]
    out.attrs = dict(table.attrs)
    return out


def describe(listed: pd.DataFrame) -> str:
    """Write the head of the list, and what is left out of it."""
    left = listed.attrs["left_out"]
    out = (
        f"{len(listed)} objets ; hors liste : {left['below_min_prises']} sous le seuil, "
        f"{left['drops']} raccordements, {left['same_place']} de même lieu"
    )
    if listed.empty:
        return f"aucun objet ne coupe assez de prises\n{out}"
    return f"{listed[list(_SHOWN_COLUMNS)].head(SHOWN).to_string(index=False)}\n{out}"


def caveats(table: pd.DataFrame, routes: Routes) -> list[str]:
    """Say in French what the table cannot tell: no demand, no feed, what was not judged or not given."""
    lines = []
    n_traced, n_untraced = (
        int(routes.prises.loc[(routes.prises["vertex_nominal"] >= 0) == traced, "n"].sum())
        for traced in (True, False)
    )
    if n_traced == 0:
        lines.append("aucune prise n'est tracée : aucun objet ne peut couper quoi que ce soit")
    if n_untraced:
        lines.append(f"{n_untraced} prises non tracées ne sont comptées derrière aucun objet")
    sources = set(routes.feeds["source"]) if "source" in routes.feeds else set()
    if not sources:
        lines.append("aucun point d'injection : rien n'est alimenté, aucune perte ne peut être jugée")
    if "nro" in sources:
        lines.append("collecte non jugée là où chaque NRO tient lieu de point d'injection")
    if "pm" in sources:
        lines.append("transport non jugé là où chaque PM tient lieu de point d'injection")
    if table.attrs.get("absent"):
        lines.append("colonnes vides faute de table : " + ", ".join(table.attrs["absent"]))
    if table.attrs.get("groupes_not_found"):
        lines.append(
            f"{len(table.attrs['groupes_not_found'])} membres de groupes ne sont pas des objets du réseau"
        )
    if table.attrs.get("n_alternatives_not_searched"):
        lines.append(
            f"chemins de secours non comptés pour {table.attrs['n_alternatives_not_searched']} objets"
        )
    return lines


def summary(routes: Routes, full: pd.DataFrame, listed: pd.DataFrame, filters: Filters) -> dict[str, object]:
    """Give what the command has found as one object for machines: counts, feeds, filters, the worst rows."""
    return {
        "counts": dict(routes.counts),
        "feeds": routes.feeds,
        "filters": {**filters.named(), "min_prises": filters.min_prises},
        "n_objects": len(full),
        "n_listed": len(listed),
        "left_out": listed.attrs["left_out"],
        "caveats": caveats(full, routes),
        "worst": listed.head(SHOWN),
    }


def _check_commune(table: pd.DataFrame, commune: str, communes: pd.DataFrame | None) -> None:
    known = sorted(set(table["commune"]) - {""})
    if not known:
        raise GraceTHDError(
            "--commune: no object has a commune; name the table communes in a study (.toml) and give the "
            "study in place of the deliveries"
        )
    if commune not in known:
        raise GraceTHDError(
            f"--commune {commune!r}: no object stands there; {_near_commune(commune, known, communes)}"
        )


def _near_commune(wanted: str, known: list[str], communes: pd.DataFrame | None) -> str:
    """Propose the commune that was meant, by name or by code; else say what is expected."""
    if communes is not None:
        rows = communes[communes["code_insee"].isin(known)]
        code_of = dict(zip(rows["nom"].astype(str).str.casefold(), rows["code_insee"], strict=True))
        near = difflib.get_close_matches(wanted.casefold(), sorted(code_of), n=1)
        if near:
            code = code_of[near[0]]
            name = rows.loc[rows["code_insee"] == code, "nom"].iloc[0]
            return f"did you mean {code!r} ({name})?"
    near = difflib.get_close_matches(wanted, known, n=1)
    return f"did you mean {near[0]!r}?" if near else f"give an INSEE code, as {known[0]}"
