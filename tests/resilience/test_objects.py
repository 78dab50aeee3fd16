"""What a table by (kind, code) says of assets."""

import pandas as pd
import pytest

from resilience.objects import facts_of_assets, told_of_assets

TABLE = pd.DataFrame(
    {
        "kind": ["cable", "local", "cable", "cable"],
        "code": ["A", "A", "A", "B"],
        "serie": ["S1", "S2", "S3", None],
        "prises": [3, 5, 7, 9],
    }
)


@pytest.mark.parametrize("more", [0, 5])  # fewer assets than rows of the table, and more
def test_kind_and_code_together_name_an_object_and_its_first_row_counts(more: int) -> None:
    asked = pd.DataFrame({"kind": ["local", "cable", "ebp"], "code": ["A", "A", "A"]}, index=[7, 3, 9])
    others = pd.DataFrame({"kind": "x", "code": "X"}, index=range(20, 20 + more))
    found = facts_of_assets(TABLE, pd.concat([asked, others]), ["serie", "prises"]).loc[[7, 3, 9]]
    assert found["serie"].iloc[:2].tolist() == ["S2", "S1"]
    assert found["prises"].iloc[:2].tolist() == [5, 3]
    assert found.iloc[2].isna().all()


def test_what_is_not_told_is_an_empty_text() -> None:
    asked = pd.DataFrame({"kind": ["cable", "cable", "ebp"], "code": ["A", "B", "A"]})
    told = told_of_assets(TABLE, asked, ["serie", "epci"])
    assert told["serie"].tolist() == ["S1", "", ""]
    assert told["epci"].tolist() == ["", "", ""]
