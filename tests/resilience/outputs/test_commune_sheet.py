"""One line a commune, by hand."""

import pandas as pd

from resilience.outputs.commune_sheet import communes_summary

COMMUNES = pd.DataFrame(
    {"code_insee": ["62001", "62002", "62003"], "nom": ["Aire", "Bours", "Cucq"], "epci_nom": ["E", "E", "F"]}
)
SPOF = pd.DataFrame(
    {
        "commune": ["62002", "62001", "62002", "62001", ""],
        "code": ["CB1", "CM1", "CM2", "CM3", "X"],
        "libelle": ["", "Tranchée", "", "", ""],
        "prises_cut": [1200, 800, 300, 299, 9000],
    }
)
LOSSES = pd.DataFrame(
    {"group": ["62001", "62002"], "prises": [500, 90], "prises_h_per_year": [10.0, 40.0],
     "hours_per_prise_year": [0.02, 0.44]}
)  # fmt: skip
PLAN = pd.DataFrame({"commune": ["62001", "62001", "62001, 62002"], "cost_eur_central": [10.0, 5.0, 99.0]})


def test_each_column_by_hand_the_largest_loss_first() -> None:
    table = communes_summary(COMMUNES, SPOF, LOSSES, PLAN)
    assert table["commune"].tolist() == ["Bours", "Aire", "Cucq"]
    assert table["n_objects"].tolist() == [2, 1, 0]
    assert table["worst"].fillna("").tolist() == ["CB1 : 1200 prises", "Tranchée : 800 prises", ""]
    assert table["n_chosen"].tolist() == [0, 2, 0]
    assert table["cost_eur_central"].tolist() == [0, 15, 0]
    assert table["prises"].tolist() == [90, 500, 0]


def test_what_a_study_has_not_is_left_out() -> None:
    table = communes_summary(COMMUNES, None, None, None)
    assert table["commune"].tolist() == ["Aire", "Bours", "Cucq"]
    assert "prises" not in table
    assert table["n_objects"].tolist() == table["n_chosen"].tolist() == [0, 0, 0]
