"""A plan that comes back: what people wrote in it is read, obeyed and kept in the next one.

For the syndicate, which validates works, and the operator, who tells how far they are. The table ``suivi`` of
a study is the ``plan.xlsx`` that was sent, filled in, or a table of its own: action_id, statut,
decision_comite, commentaire. Works that are validated or under way stay in the plan; those that are done or
given up are not proposed again.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import openpyxl
import pandas as pd
from openpyxl.worksheet.worksheet import Worksheet

from gracethd.outputs.labels import column_label
from resilience.loss import Sampling
from resilience.measures import Candidates, Situation
from resilience.parameters import Level
from resilience.plan import Plan, choose
from resilience.sections import StudyError
from resilience.study_budget import Budget

WRITTEN = ("statut", "decision_comite", "commentaire")
"""Columns that people fill."""
SHEETS = ("Plan", "Suivi")
"""Sheets of the workbook that are read back."""
_UNDER_WAY = ("validé_smo", "aps", "apd", "travaux")
_OVER = {"doe": "faite", "abandonné": "abandonnée"}
_HEADINGS = 10  # rows among which the headings are sought


def read_returned(path: Path) -> pd.DataFrame:
    """Read what people wrote in a plan's workbook.

    Parameters
    ----------
    path : Path
        An XLSX whose sheets `SHEETS` (one is enough) hold a heading Action, as ``plan.xlsx`` has it; other
        columns may have been moved, hidden or added.

    Returns
    -------
    DataFrame
        action_id, libelle, statut, decision_comite, commentaire as text (None = empty) and ``line``, the
        sheet and row for messages. Rows without action, such as totals, are left out.

    Raises
    ------
    StudyError
        When no sheet is one of a plan, or a cell that is read holds a formula; the message names the cell.
    """
    book = openpyxl.load_workbook(path, read_only=True)
    try:
        rows = [row for name in SHEETS if name in book.sheetnames for row in _rows(book[name], path)]
        if not rows and not set(SHEETS) & set(book.sheetnames):
            raise StudyError(
                f"suivi ({path.name}): no sheet {' or '.join(SHEETS)}; give the plan.xlsx that was sent"
            )
    finally:
        book.close()
    return pd.DataFrame(rows, columns=["action_id", "libelle", *WRITTEN, "line"], dtype=object)


def _rows(sheet: Worksheet, path: Path) -> list[list[str | None]]:
    wanted = {column_label(name).lower(): name for name in ("action_id", "libelle", *WRITTEN)}
    places: dict[str, int] = {}
    found: list[list[str | None]] = []
    for number, cells in enumerate(sheet.iter_rows(), start=1):
        if not places and number > _HEADINGS:
            break
        if not places:
            heads = {str(_text(cell.value)).lower(): i for i, cell in enumerate(cells)}
            if column_label("action_id").lower() in heads:
                places = {wanted[head]: i for head, i in heads.items() if head in wanted}
            continue
        read = {name: cells[i] for name, i in places.items() if i < len(cells)}
        for name, cell in read.items():
            if cell.data_type == "f":
                where = f"sheet {sheet.title}, cell {cell.coordinate} ({column_label(name)})"
                raise StudyError(f"suivi ({path.name}): {where} holds a formula; write the text itself")
        values = {name: _text(cell.value) for name, cell in read.items()}
        if values.get("action_id"):
            told = [values.get(name) for name in ("action_id", "libelle", *WRITTEN)]
            found.append([*told, f"{number} of sheet {sheet.title}"])
    return found


def _text(value: object) -> str | None:
    return None if value is None or not str(value).strip() else str(value).strip()


def choose_followed(
    today: Mapping[Level, Situation],
    candidates: Candidates,
    sampling: Sampling,
    followed: pd.DataFrame | None,
    *,
    budget: Budget,
    first_year: int,
) -> Plan:
    """Choose as `resilience.plan.choose` does, obeying what was decided on an earlier plan, if any.

    Parameters
    ----------
    followed : DataFrame or None
        The table ``suivi``.
    today, candidates, sampling, budget, first_year
        As for `resilience.plan.choose`.
    """
    if followed is None:
        return choose(today, candidates, sampling, budget=budget, first_year=first_year)
    decided = with_decisions(budget, followed, candidates.measures["action_id"])
    return followed_plan(choose(today, candidates, sampling, budget=decided, first_year=first_year), followed)


def with_decisions(budget: Budget, followed: pd.DataFrame, action_ids: Iterable[str]) -> Budget:
    """Give the budget with what was decided: works under way imposed, those done or given up barred.

    Parameters
    ----------
    budget : Budget
    followed : DataFrame
        action_id and statut, from the table ``suivi``.
    action_ids : iterable of str
        Works that are proposed now; decisions on others wait in the sheet Suivi.
    """
    known = followed[followed["action_id"].isin(list(action_ids))]
    under_way = known.loc[known["statut"].isin(_UNDER_WAY), "action_id"]
    over = known.loc[known["statut"].isin(list(_OVER)), "action_id"]
    return replace(
        budget,
        force=tuple(dict.fromkeys([*budget.force, *under_way])),
        forbid=tuple(dict.fromkeys([*budget.forbid, *over])),
    )


def followed_plan(plan: Plan, followed: pd.DataFrame) -> Plan:
    """Give the plan with what people wrote on its works, and what became of those that are not in it.

    Returns
    -------
    Plan
        `plan` with statut, decision_comite and commentaire kept by action_id; `follow_up` with one row for
        each followed work that is not in the plan: action_id, libelle, statut, decision_comite, commentaire,
        suivi (faite, abandonnée, retirée: proposed and no longer chosen, disparue: no longer proposed).
    """
    by_id = followed.set_index("action_id")
    rows = plan.plan.copy()
    kept = by_id.reindex(rows["action_id"])
    statut = kept["statut"].fillna("").to_numpy(object)
    rows["statut"] = np.where(statut == "", rows["statut"], statut).astype(str)
    for name in ("decision_comite", "commentaire"):
        rows[name] = kept[name].fillna("").astype(str).to_numpy()
    told = followed[~followed["action_id"].isin(rows["action_id"])].reset_index(drop=True)
    proposed = set(plan.ecartees["action_id"])
    fate = [
        _OVER.get(statut, "retirée" if action in proposed else "disparue")
        for action, statut in zip(told["action_id"], told["statut"], strict=True)
    ]
    names = pd.concat([plan.ecartees, plan.plan])[["action_id", "libelle"]].set_index("action_id")["libelle"]
    labels = told["action_id"].map(names).fillna(told["libelle"]).fillna("").astype(str)
    table = told.assign(libelle=labels, suivi=pd.Series(fate, told.index, dtype=str))
    columns = ["action_id", "libelle", "suivi", *WRITTEN]
    return replace(plan, plan=rows, follow_up=table[columns].sort_values("action_id", ignore_index=True))
