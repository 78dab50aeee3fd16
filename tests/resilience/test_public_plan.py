"""Works that may be published: sums by commune that single no work out, and no subtraction can."""

import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from resilience.public import LEAST_ASSETS, public_plan

COMMUNES = pd.DataFrame(
    {"code_insee": ["62001", "62002", "62003"], "nom": ["Aire", "Bours", "Cucq"], "epci": ["E1", "E1", "E2"],
     "epci_nom": ["CC 1", "CC 1", "CC 2"]}
)  # fmt: skip
COLUMNS = ["scope", "area", "libelle", "famille", "n_chosen", "cost_eur_central"]


def plan(*rows: tuple[str, str, str, float]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["famille", "commune", "epci", "cost_eur_central"])


def test_a_commune_with_enough_works_is_told_and_the_others_go_up() -> None:
    works = [("ENFOUISSEMENT", "62001", "E1", 10_000.0)] * 3 + [("ENFOUISSEMENT", "62002", "E1", 8_000.0)] * 2
    works += [("ENFOUISSEMENT", "62001, 62002", "E1", 9_000.0), ("BOUCLAGE", "62003", "E2", 90_000.0)]
    sums = public_plan(plan(*works), COMMUNES)
    assert sums.to_numpy().tolist() == [
        ["commune", "62001", "Aire", "ENFOUISSEMENT", 3, 30_000.0],
        ["epci", "E1", "CC 1", "ENFOUISSEMENT", 3, 25_000.0],
    ]
    assert sums.columns.tolist() == COLUMNS
    assert sums.attrs["withheld"] == 1  # the loop


def test_a_sum_that_one_work_makes_almost_alone_is_withheld() -> None:
    sums = public_plan(
        plan(*[("BOUCLAGE", "62001", "E1", eur) for eur in (900_000.0, 5_000.0, 6_000.0)]), COMMUNES
    )
    assert sums.empty
    assert sums.attrs["withheld"] == 3


def test_without_communes_all_is_one_sum() -> None:
    sums = public_plan(plan(*[("AUTRE", "62001", "E1", 1_000.0)] * 4), None)
    assert sums[["scope", "n_chosen", "cost_eur_central"]].to_numpy().tolist() == [["ensemble", 4, 4_000.0]]


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["BOUCLAGE", "AUTRE"]),
            st.sampled_from(["62001", "62002", "62003", "62001, 62003", ""]),
            st.sampled_from(["E1", "E2", "E1, E2", ""]), st.floats(100.0, 1e6),
        ),
        max_size=12,
    )
)  # fmt: skip
def test_every_work_is_in_one_row_or_withheld_and_rows_keep_the_rules(
    rows: list[tuple[str, str, str, float]],
) -> None:
    sums = public_plan(plan(*rows), COMMUNES)
    assert sums["n_chosen"].sum() + sums.attrs["withheld"] == len(rows)
    assert (sums["n_chosen"] >= LEAST_ASSETS).all()
    assert (sums["cost_eur_central"] % 1000 == 0).all()
    assert not sums.duplicated(["scope", "area", "famille"]).any()
