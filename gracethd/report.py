"""What an inventory holds, in the few lines that a person reads first."""

import pandas as pd

from gracethd.inventory import Inventory
from gracethd.network.types import Network
from gracethd.routes.types import Routes

LEVEL_WORDS = {
    0: "0 zones et prises",
    1: "1 câbles",
    2: "2 cheminements et nœuds",
    3: "3 épissures",
}
FEED_WORDS = {
    "table": "points d'injection de l'étude",
    "heberg": "sites d'hébergement",
    "nro": "NRO (collecte non jugée)",
    "pm": "PM (transport non jugé)",
}


def describe(inventory: Inventory, network: Network, routes: Routes) -> str:
    """Write what deliveries hold: counts, level of use by zone, feeds, what was left out and why.

    Returns
    -------
    str
        Several lines, in French.
    """
    counts, prises = routes.counts, routes.prises
    by_kind = network.assets["kind"].value_counts()
    lines = [
        f"{len(inventory.deliveries)} livraison(s), {inventory.crs.name}",
        prises_line(prises),
        "objets : " + ", ".join(f"{kind} {n}" for kind, n in by_kind.sort_index().items()),
        "km : " + _kilometres(network),
        "injection : "
        + ", ".join(f"{FEED_WORDS[str(s)]} {n}" for s, n in routes.feeds["source"].value_counts().items()),
        f"prises de tracé ambigu : {counts['prises_ambiguous']}",
        "",
        _levels(routes.levels),
    ]
    found = pd.concat([inventory.findings, network.findings, routes.findings])
    return "\n".join(lines + _tally(found, "constats de lecture et de tracé"))


def describe_tables(inventory: Inventory) -> str:
    """Write what was merged: rows by table, and what reading had to report.

    Returns
    -------
    str
        Several lines, in French.
    """
    rows = ", ".join(f"{name} {len(table)}" for name, table in inventory.items() if len(table))
    lines = [f"{len(inventory.deliveries)} livraison(s), {inventory.crs.name}", f"lignes : {rows}"]
    return "\n".join(lines + _tally(inventory.findings, "constats de lecture"))


def describe_findings(findings: pd.DataFrame) -> str:
    """Write findings by rule, table and attribute: how many, and the first message of each.

    Returns
    -------
    str
        Several lines, in French; "aucun constat" where there is none.
    """
    if not len(findings):
        return "aucun constat"
    by = ["severity", "rule", "table", "attribute"]
    tally = findings.groupby(by).agg(n=("code", "size"), message=("message", "first")).reset_index()
    return tally.to_string(index=False)


def _tally(found: pd.DataFrame, title: str) -> list[str]:
    if not len(found):
        return []
    tally = found.groupby(["severity", "rule"]).size().rename("n").reset_index()
    return ["", f"{title} :", tally.to_string(index=False)]


def prises_line(prises: pd.DataFrame) -> str:
    """Write how many prises are inventoried, traced and by what, and untraced and why."""
    by = prises.groupby("traced")["n"].sum()
    why = prises[prises["traced"] == ""].groupby("reason")["n"].sum()
    total, untraced = int(prises["n"].sum()), int(by.get("", 0))
    reasons = f" ({', '.join(f'{reason} {n}' for reason, n in why.items())})" if untraced else ""
    return (
        f"prises : {total} inventoriées = {total - untraced} tracées "
        f"(épissure {by.get('splice', 0)}, câble {by.get('cable', 0)}, zone {by.get('zone', 0)})"
        f" + {untraced} non tracées{reasons}"
    )


def _kilometres(network: Network) -> str:
    cables = network.assets[network.assets["kind"] == "cable"]
    by_segment = cables.groupby("segment")["length_m"].sum() / 1000
    return ", ".join(f"{segment or 'inconnu'} {km:.1f}" for segment, km in by_segment.items())


def _levels(levels: pd.DataFrame) -> str:
    shown = levels.assign(
        zone=levels["zone"].where(levels["zone"] != "", "(hors zone)"), level=levels["level"].map(LEVEL_WORDS)
    )
    names = {
        "level": "niveau",
        "traced_splice": "épissure",
        "traced_cable": "câble",
        "traced_zone": "par zone",
    }
    return shown.rename(columns={**names, "untraced": "non tracées"}).to_string(index=False)
