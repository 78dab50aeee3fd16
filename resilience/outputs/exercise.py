"""The paper of an exercise: what is announced to the players, hour by hour, and what they should decide."""

from collections.abc import Iterator
from datetime import timedelta

import pandas as pd

from gracethd.outputs.labels import value_label, written
from resilience.crisis import Played

_DECIDE = {
    "panne": "Qualifier la panne, réunir la cellule de crise, prévenir les communes et les EPCI touchés.",
    "sites": "Appeler chaque site sensible, vérifier ses moyens de secours, choisir l'ordre de réparation.",
    "batteries": "Envoyer un groupe électrogène, demander à l'exploitant électrique un retour prioritaire.",
    "courant": "Vérifier le redémarrage des équipements, reprendre les groupes.",
    "acces": "Envoyer les équipes tenues à l'écart, reconnaître les dégâts.",
    "stock": "Appeler les stocks voisins et les fournisseurs, décider ce qui passe en premier.",
    "personne": "Chercher cette compétence chez les partenaires, au besoin par réquisition.",
    "etape": "Réaffecter les équipes à l'étape suivante, faire un point de situation.",
    "part": "Informer les élus et les opérateurs, relever une partie des équipes.",
    "fin": "Lever la cellule de crise, fixer la date du retour d'expérience.",
}


def exercise(played: Played) -> pd.DataFrame:
    """List the injects of a scenario, by time.

    Returns
    -------
    DataFrame
        hour, moment (date and time, "" where the scenario has no beginning), inject, decision (expected).
    """
    rows = sorted(_injects(played), key=lambda row: row[0])
    table = pd.DataFrame(rows, columns=["hour", "inject", "decision"])
    table["decision"] = table["decision"].map(_DECIDE)
    start = played.scenario.start
    moments = ["" if start is None else f"{start + timedelta(hours=h):%d/%m/%Y %H:%M}" for h in table["hour"]]
    table.insert(1, "moment", moments)
    return table


def _injects(played: Played) -> Iterator[tuple[float, str, str]]:
    tasks = played.tasks
    broken = tasks[tasks["back_at_h"].isna()]
    for hour, of_hour in broken.groupby("failed_at_h"):
        causes = ", ".join(sorted({value_label("cause", cause) for cause in of_hour["cause"]}))
        at = float(str(hour))
        yield at, f"{len(of_hour)} objet(s) en panne ({causes}) : {_down(played, at)}.", "panne"
    if len(played.sites):
        yield played.hour, f"{len(played.sites)} site(s) sensible(s) sans service.", "sites"
    for row in played.waiting.to_dict("records"):
        name = row["libelle"] or row["code"]
        down = _down(played, row["failed_at_h"])
        yield row["failed_at_h"], f"NRO {name} : batteries épuisées sans courant ; {down}.", "batteries"
        yield row["back_at_h"], f"NRO {name} : le courant revient.", "courant"
    for area in played.scenario.no_access:
        yield area.until_h, "L'accès est rouvert aux équipes.", "acces"
    closed = played.scenario.closed_roads
    if closed is not None and closed.until_h is not None:
        yield closed.until_h, "Les routes inondées sont rouvertes.", "acces"
    for reason, of_reason in tasks[tasks["missing"] != ""].groupby("missing"):
        words = f"{len(of_reason)} intervention(s) impossible(s) : {value_label('missing', reason)}."
        decision = "personne" if reason in ("competence", "acces") else "stock"
        yield float(of_reason["ready_h"].min()), words, decision
    for number, of_stage in broken[broken["end_h"].notna()].groupby("stage"):
        end = float(of_stage["end_h"].max())
        name = value_label("stage", str(number))
        yield end, f"Dernière intervention sur : {name} ; {_down(played, end)}.", "etape"
    marks = ((50, "part"), (90, "part"), (99, "fin"))
    hours = [played.summary[f"restored_{share}_h"] for share, _ in marks]
    for (share, then), restored_h, following in zip(marks, hours, [*hours[1:], None], strict=True):
        if restored_h is not None and restored_h != following:  # the last of those that come together
            at = float(str(restored_h))
            yield at, f"{share} % des prises sont rétablies ; {_down(played, at)}.", then


def _down(played: Played, hour: float) -> str:
    down = played.curve.loc[played.curve["hour"] <= hour, "prises_down"].iloc[-1]
    return f"{written(int(down), 'int')} prises sans service"
