"""The plan as a committee reads it: what is printed, what a year costs, what the next euros would buy."""

from datetime import date
from pathlib import Path

import openpyxl
import pandas as pd
import pytest

from gracethd.outputs.workbook import write_workbook
from resilience.outputs.plan_sheets import ON_PAPER, beyond_the_budget, by_year, plan_sheets
from resilience.outputs.report import Report


@pytest.fixture
def plan() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "rank": [1, 2, 3],
            "action_id": ["a", "b", "c"],
            "famille": ["BOUCLAGE", "ENFOUISSEMENT", "BOUCLAGE"],
            "libelle": ["A", "B", "C"],
            "year_start": [2027, 2028, 2027],
            "cost_eur_low": [1.0, 2.0, 4.0],
            "cost_eur_central": [10.0, 20.0, 40.0],
            "cost_eur_high": [100.0, 200.0, 400.0],
            "prises_h_added_per_year": [5.0, 1.0, 0.5],
            "prises_h_avoided_per_year_central": [6.0, 2.0, 1.0],
            "explication": ["parce que"] * 3,
        }
    )


def test_a_year_is_the_sum_of_what_begins_in_it(plan: pd.DataFrame) -> None:
    years = by_year(plan).set_index("year_start")
    assert years.loc[2027, ["n_chosen", "cost_eur_central", "prises_h_added_per_year"]].tolist() == [
        2,
        50,
        5.5,
    ]
    assert years.loc[2028, "cost_eur_high"] == 200.0


def test_beyond_the_budget_stands_what_adds_most_for_its_price(plan: pd.DataFrame) -> None:
    others = plan.assign(prises_h_added_per_year=[0.0, 4.0, 2.0])
    assert beyond_the_budget(others)["action_id"].tolist() == ["b", "c"]
    assert beyond_the_budget(others.drop(columns="prises_h_added_per_year")).empty


def test_what_is_read_first_is_printed_and_the_rest_is_grouped_behind(
    plan: pd.DataFrame, tmp_path: Path
) -> None:
    report = Report("Essai", "Comité", date(2026, 1, 1), plan=plan, frontier=None, ecartees=plan.iloc[:0])
    sheets = {sheet.name: sheet for sheet in plan_sheets(report)}
    assert list(sheets) == ["Plan", "Par année", "Bouclage", "Enfouissement", "Écartées"]
    assert sheets["Bouclage"].frame["action_id"].tolist() == ["a", "c"]
    path = tmp_path / "plan.xlsx"
    write_workbook(list(sheets.values()), path, title="Essai", recipient="Comité", day=date(2026, 1, 1))
    page = openpyxl.load_workbook(path)["Plan"]
    printed = [name for name in ON_PAPER if name in sheets["Plan"].frame]
    last = openpyxl.utils.get_column_letter(len(printed))
    assert page.print_area == f"'Plan'!$A$1:${last}$9"
    hidden = [name for name, column in page.column_dimensions.items() if column.hidden]
    assert hidden[0] == openpyxl.utils.get_column_letter(len(printed) + 1)
    assert page.cell(9, printed.index("cost_eur_central") + 1).value.startswith("=SUBTOTAL(109,")
