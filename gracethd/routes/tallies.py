"""What tracing adds up to: levels of use by zone, prises by room, counts, and what is left untraced."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from gracethd.codes import among, amount
from gracethd.findings import findings_frame, merge_findings
from gracethd.inventory import Inventory
from gracethd.network.types import KINDS, Network
from gracethd.routes.demand import EXTRA
from gracethd.routes.survey import Survey

WHY_UNTRACED = {
    EXTRA: "annoncée par l'adresse, sans ligne : inventoriée, non tracée",
    "sans_pbo": "aucun PBO par raccordement, clé ou zone : non tracée",
    "sans_pm": "hors de toute zone à PM connu, et aucun câble n'atteint son PBO : non tracée",
    "pm_isole": "son PM n'est relié à aucune injection : non tracée",
}


def zone_levels(prises: pd.DataFrame, survey: Survey) -> pd.DataFrame:
    """Say how far the data of each zone go (D16): `Routes.levels`.

    A zone has the highest level that one of its prises reaches: 3 where splices trace it, 2 where a cable
    with ways stops at its PBO, 1 where a cable does, else 0.
    """
    network = survey.network
    boxed = survey.boxed[~survey.is_drop()[survey.boxed["cable"].to_numpy()]]
    is_way = (network.assets["kind"] == "cheminement").to_numpy()
    on_way = network.uses.loc[is_way[network.uses["carrier"].to_numpy()], "carried"]
    has_way = boxed["cable"].isin(on_way).groupby(boxed["ebp"]).max()
    level = np.select(
        [
            prises["traced"] == "splice",
            amount(prises["pbo"], has_way) > 0,
            among(prises["pbo"], has_way.index),
        ],
        [3, 2, 1],
        0,
    )
    n = prises["n"]
    columns = {f"traced_{name}": n.where(prises["traced"] == name, 0) for name in ("splice", "cable", "zone")}
    columns["untraced"] = n.where(prises["traced"] == "", 0)
    frame = pd.DataFrame({"zone": prises["zone"], "level": level, "prises": n, **columns})
    how = {"level": "max", **dict.fromkeys(["prises", *columns], "sum")}
    return frame.groupby("zone").agg(how).reset_index()


def untraced_findings(prises: pd.DataFrame) -> pd.DataFrame:
    """List the prises that are inventoried and not traced, by reason."""
    lost = prises[prises["reason"] != ""]
    return merge_findings(
        findings_frame(
            f"prise_non_tracee_{reason}", "majeur" if reason != EXTRA else "mineur", "premise",
            code=group["code"], message=WHY_UNTRACED[str(reason)], delivery=group["delivery"],
        )
        for reason, group in lost.groupby("reason")
    )  # fmt: skip


def count(inventory: Inventory, network: Network, prises: pd.DataFrame) -> Mapping[str, object]:
    """Give the ``counts`` block of ``summary.json``; traced and untraced add up to inventoried (D15)."""
    by = prises.groupby("traced")["n"].sum()
    reasons = prises[prises["reason"] != ""].groupby("reason")["n"].sum()
    kinds = network.assets["kind"].value_counts()
    return {
        "deliveries": len(inventory.deliveries),
        "prises_inventoried": int(prises["n"].sum()),
        "prises_traced_splice": int(by.get("splice", 0)),
        "prises_traced_cable": int(by.get("cable", 0)),
        "prises_traced_zone": int(by.get("zone", 0)),
        "prises_untraced": int(by.get("", 0)),
        "prises_untraced_reasons": {str(reason): int(n) for reason, n in reasons.items()},
        "prises_ambiguous": int(prises.loc[prises["state"] == "ambiguous", "n"].sum()),
        "assets": {kind: int(kinds.get(kind, 0)) for kind in KINDS},
    }
