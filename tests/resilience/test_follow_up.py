"""A plan that comes back filled: what people wrote is obeyed, kept, and refused where it cannot be read."""

from datetime import date
from pathlib import Path

import openpyxl
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl.worksheet.worksheet import Worksheet

from gracethd.outputs.workbook import write_workbook
from resilience.follow_up import WRITTEN, followed_plan, with_decisions
from resilience.outputs.plan_sheets import plan_sheets
from resilience.outputs.report import Report
from resilience.plan import Plan
from resilience.sections import StudyError
from resilience.study_budget import STATUTS, Budget
from resilience.tables import read_table
from tests.draws import draws

IDS = ["a-1", "b-2", "c-3"]


@pytest.fixture
def sent(tmp_path: Path) -> Path:
    """Write the workbook of a plan of three works."""
    works = pd.DataFrame(
        {"rank": [1, 2, 3], "action_id": IDS, "famille": "BOUCLAGE", "libelle": ["A", "B", "C"],
         "statut": "proposé", "cost_eur_central": [10.0, 20.0, 30.0]}
    )  # fmt: skip
    report = Report("Essai", "Comité", date(2026, 1, 1), plan=works, ecartees=works.iloc[:0])
    path = tmp_path / "plan.xlsx"
    write_workbook(plan_sheets(report), path, title="Essai", recipient="Comité", day=date(2026, 1, 1))
    return path


def fill(path: Path, written: dict[str, dict[str, str]]) -> None:
    """Write into the cells of a plan as a person would."""
    book = openpyxl.load_workbook(path)
    page = book["Plan"]
    assert isinstance(page, Worksheet)
    heads = {cell.value: cell.column for cell in page[5]}
    labels = dict(zip(WRITTEN, ("Statut", "Décision du comité", "Commentaire"), strict=True))
    for row in range(6, 9):
        action = page.cell(row, heads["Action"]).value
        for name, text in written.get(str(action), {}).items():
            page.cell(row, heads[labels[name]]).value = text
    book.save(path)


words = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), max_size=20).map(
    lambda text: "" if text.strip().startswith("=") else text.strip()
)


filled = st.fixed_dictionaries(
    {"statut": st.sampled_from(STATUTS), "decision_comite": words, "commentaire": words}
)


@settings(max_examples=draws(10), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(written=st.fixed_dictionaries(dict.fromkeys(IDS, filled)))
def test_what_is_written_is_read_back_as_it_was(sent: Path, written: dict[str, dict[str, str]]) -> None:
    fill(sent, written)
    read = read_table(sent, "suivi").set_index("action_id")
    assert read.index.tolist() == IDS
    assert read[list(WRITTEN)].to_dict("index") == written


def test_the_workbook_offers_the_list_of_statuses(sent: Path) -> None:
    page = openpyxl.load_workbook(sent)["Plan"]
    assert isinstance(page, Worksheet)
    (rule,) = page.data_validations.dataValidation
    assert rule.formula1 == '"' + ",".join(STATUTS) + '"'


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ({"a-1": {"statut": "fini"}}, "line 6 of sheet Plan, column statut: 'fini', known: "),
        ({"b-2": {"statut": "=1+1"}}, r"sheet Plan, cell [A-Z]+7 \(Statut\) holds a formula"),
        ({"c-3": {"commentaire": '=HYPERLINK("http://x")'}}, "holds a formula; write the text itself"),
    ],
)
def test_what_cannot_be_read_is_named_with_its_cell(
    sent: Path, written: dict[str, dict[str, str]], words: str
) -> None:
    fill(sent, written)
    with pytest.raises(StudyError, match=words):
        read_table(sent, "suivi")


def test_a_work_that_stands_twice_and_a_workbook_without_plan_are_refused(sent: Path, tmp_path: Path) -> None:
    book = openpyxl.load_workbook(sent)
    page = book["Plan"]
    assert isinstance(page, Worksheet)
    column = next(cell.column for cell in page[5] if cell.value == "Action")
    page.cell(7, column).value = "a-1"
    book.save(sent)
    with pytest.raises(StudyError, match="column action_id: 'a-1' stands there twice"):
        read_table(sent, "suivi")
    other = tmp_path / "autre.xlsx"
    openpyxl.Workbook().save(other)
    with pytest.raises(StudyError, match="no sheet Plan or Suivi; give the plan"):
        read_table(other, "suivi")


def test_decisions_bind_the_next_choice() -> None:
    followed = pd.DataFrame(
        {
            "action_id": ["a", "b", "c", "d", "gone"],
            "statut": ["aps", "doe", "abandonné", "proposé", "travaux"],
        }
    )
    budget = with_decisions(Budget(9.0, force=("x",)), followed, ["a", "b", "c", "d", "x"])
    assert (budget.force, budget.forbid) == (("x", "a"), ("b", "c"))


def test_what_became_of_each_work_is_told() -> None:
    chosen = pd.DataFrame({"action_id": ["a", "new"], "libelle": ["A", "N"], "statut": "proposé"})
    others = pd.DataFrame({"action_id": ["b", "c"], "libelle": ["B", "C"]})
    followed = pd.DataFrame(
        {
            "action_id": ["a", "b", "c", "gone"], "libelle": "",
            "statut": ["aps", "doe", "proposé", "validé_smo"], "decision_comite": ["oui", "", "", ""],
            "commentaire": "",
        }
    )  # fmt: skip
    plan = followed_plan(Plan(chosen, others, pd.DataFrame(), {}, pd.DataFrame()), followed)  # type: ignore[arg-type]
    assert plan.plan[["action_id", "statut", "decision_comite"]].to_numpy().tolist() == [
        ["a", "aps", "oui"], ["new", "proposé", ""],
    ]  # fmt: skip
    assert plan.follow_up is not None
    assert dict(zip(plan.follow_up["action_id"], plan.follow_up["suivi"], strict=True)) == {
        "b": "faite", "c": "retirée", "gone": "disparue",
    }  # fmt: skip


def test_a_study_knows_the_statuses_of_works() -> None:
    from typing import get_args

    from resilience.measures.catalogue import Statut

    assert get_args(Statut) == STATUTS
