"""What is said of one object, in French."""

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from resilience.explain.case import Case, elements

SHOWN_CODES = 8


def what_it_cuts(case: Case, prises: gpd.GeoDataFrame) -> list[str]:
    """Say how many prises the object cuts and which PBOs, PMs and NROs they hang on, or why none."""
    row = case.table.loc[[case.asset]].iloc[0]
    named = f" ({row['libelle']})" if row["libelle"] and row["libelle"] != row["code"] else ""
    layer = f", {row['segment']}" if row["segment"] else ""
    head = (
        f"{row['kind']}:{row['code']}{named}{layer} : {counted(row['prises_cut'], 'prise coupée')}, "
        f"{counted(row['prises_stranded'], 'isolée')}, {row['prises_cut_max']} au plus ; {row['n_pm']} PM et "
        f"{row['n_nro']} NRO coupés"
    )
    lines = [head]
    if prises.empty:
        if not int(case.nominal.prises.sum()):
            return [*lines, "aucune prise n'est tracée dans cet inventaire : rien ne peut en dépendre"]
        spots, edges = elements(case)
        if not len(spots) and not len(edges):
            return [*lines, "aucun câble ni équipement suivi n'y tient : rien ne peut en dépendre"]
        tree = case.index.tree
        reached = (tree.position[spots] >= 0).any() or (tree.edge_child[edges] != -2).any()
        return [
            *lines,
            "aucune prise tracée n'en dépend : il ne mène à aucune"
            if reached
            else "aucun point d'injection n'y mène : il est dans une partie séparée ou sans service",
        ]
    lost = prises[prises["fate"].isin(("isolée", "coupée"))]
    hang = lost if len(lost) else prises
    for name, column in (("PBO", "pbo"), ("PM", "pm"), ("NRO", "nro")):
        codes = sorted(set(hang[column]) - {""})
        lines.append(
            f"{'derrière lui' if len(lost) else 'passent par lui'}, {len(codes)} {name} : {listed(codes)}"
        )
    return lines


def through(case: Case, members: NDArray[np.int64], carried: NDArray[np.int64]) -> list[str]:
    """Say which members a group has, and which cables fail with the object."""
    lines = []
    if len(members):
        lines.append(f"groupe de {counted(len(members), 'objet')} : {codes_of(case, members)}")
    others = carried[carried != case.asset]
    if len(others):
        uses = case.network.uses
        drawn = uses[(uses["carrier"] == case.asset) & (uses["source"] == "geometry")]["carried"]
        by_line = np.intersect1d(others, drawn.to_numpy(np.int64))
        lines.append(
            f"par {counted(len(others), 'câble')} qui {'tombent' if len(others) > 1 else 'tombe'} avec lui : "
            f"{codes_of(case, others)}"
            + (f" ({len(by_line)} par géométrie seule : {codes_of(case, by_line)})" if len(by_line) else "")
        )
    return lines


def from_feed(case: Case, upstream: NDArray[np.int64]) -> list[str]:
    """Say what lies between a feed and the object, from the feed down."""
    if not len(upstream):
        return []
    codes = (case.table["kind"] + ":" + case.table["code"]).reindex(upstream).tolist()
    shown = codes if len(codes) <= 2 * SHOWN_CODES else [*codes[:SHOWN_CODES], "…", *codes[-SHOWN_CODES:]]
    return ["depuis l'injection : " + " → ".join(shown)]


def context(row: pd.Series) -> list[str]:
    """Say what the row of the table tells besides: ways that remain, shared risk, série, same place."""
    lines = []
    if not pd.isna(row["n_alternatives"]):
        which = "y mènent" if row["kind"] == "local" else "restent sans lui, au moins"
        lines.append(f"chemins disjoints par câble qui {which} : {row['n_alternatives']}")
    if row["srlg"]:
        lines.append(f"plus petit risque partagé qui coupe davantage : {row['srlg']}")
    if row["serie"]:
        lines.append(f"série : {row['serie']}")
    if row["same_as"]:
        lines.append(f"même lieu, mêmes pertes : {row['same_as']}")
    return lines


def count(prises: pd.DataFrame, fate: str) -> int:
    """Count the prises of one fate."""
    return int(prises.loc[prises["fate"] == fate, "n"].sum())


def counted(n: int, words: str) -> str:
    """Write a number before words that take an s in the plural."""
    return f"{n} {words if n < 2 else ' '.join(f'{word}s' for word in words.split())}"


def codes_of(case: Case, assets: NDArray[np.int64]) -> str:
    """List the codes of some assets, the first ones only where there are many."""
    return listed(sorted(case.table.loc[assets, "code"]))


def listed(codes: list[str]) -> str:
    """List codes, the first `SHOWN_CODES` only."""
    more = len(codes) - SHOWN_CODES
    return ", ".join(codes[:SHOWN_CODES]) + (f" et {counted(more, 'autre')}" if more > 0 else "")
