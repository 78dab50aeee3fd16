"""A zone delivered again: the newest delivery stands for it, and what changed is told."""

import pandas as pd
import pytest
import shapely

from gracethd.deliveries import Delivery
from gracethd.reading import build_inventory
from tests.deliveries import delivery, found, table

X, Y = 700_000.0, 7_000_000.0


def zone(
    name: str,
    day: str | None,
    *homes: str,
    boxes: tuple[str, ...] = ("B1", "B2"),
    code: str = "Z1",
    label: str = "",
    east: float = 0.0,
) -> Delivery:
    """Give a delivery of one zone: its boxes, one home a place."""
    dated = {"bp_majdate": day}
    square = shapely.box(X + east - 500, Y - 500, X + east + 500, Y + 500)
    return delivery(
        name,
        t_noeud=table(
            *({"nd_code": f"N{home}"} for home in homes),
            at=[(X + east + 10 * i, Y) for i in range(len(homes))],
        ),
        t_suf=table(*({"sf_code": home, "sf_nd_code": f"N{home}", "sf_type": "R"} for home in homes)),
        t_ebp=table(*({"bp_code": box, "bp_typelog": "PBO", "bp_linecod": label, **dated} for box in boxes)),
        t_zsro=table({"zs_code": code}, at=[square]),
    )


def codes(inventory: pd.DataFrame) -> list[str]:
    return sorted(inventory.iloc[:, 0])


def test_the_newer_delivery_replaces_the_older_whatever_the_order() -> None:
    """L2 is gone, L4 is new, B3 is new; both boxes have another label."""
    old, new = (
        zone("v1", "2023-01-01", "L1", "L2"),
        zone("v2", "2024-01-01", "L1", "L4", boxes=("B1", "B2", "B3"), label="x"),
    )
    for order in ([old, new], [new, old]):
        merged = build_inventory(order)
        assert codes(merged["premise"]) == ["L1", "L4"]
        assert codes(merged["ebp"]) == ["B1", "B2", "B3"]
        assert found(merged, "objet_ajoute") == [
            ["ebp", "B3", "v2", 3], ["noeud", "NL4", "v2", 2], ["premise", "L4", "v2", 2],
        ]  # fmt: skip
        assert found(merged, "objet_retire") == [["noeud", "NL2", "v1", 2], ["premise", "L2", "v1", 2]]
        assert found(merged, "objet_modifie") == [["ebp", "B1", "v2", 1], ["ebp", "B2", "v2", 2]]
        changed = merged.findings[merged.findings["rule"] == "objet_modifie"]
        assert set(changed["attribute"]) == {"bp_linecod"}
        (said,) = merged.findings.loc[merged.findings["rule"] == "livraison_remplacee", "message"]
        assert "1 prises gagnées, 1 perdues" in said
        replaced = merged.deliveries.set_index("delivery")["replaced_by"]
        assert replaced.to_dict() == {"v1": "v2", "v2": ""}


@pytest.mark.parametrize(
    ("other", "why"),
    [
        (zone("v2", "2023-01-01", "L1", "L4"), "same day: nothing tells which is newer"),
        (zone("v2", None, "L1", "L4"), "no date"),
        (zone("v2", "2024-01-01", "L1", "L4", code="Z2"), "another zone"),
        (zone("v2", "2024-01-01", "L8", "L4", boxes=("B8", "B9")), "no code in common"),
        (zone("v2", "2024-01-01", "L1", "L4", east=20_000.0), "another owner's zone of the same number"),
    ],
)
def test_deliveries_that_are_read_together(other: Delivery, why: str) -> None:
    merged = build_inventory([zone("v1", "2023-01-01", "L1", "L2"), other])
    assert "L2" in codes(merged["premise"]), why
    assert found(merged, "livraison_remplacee") == []


def test_a_zone_of_two_deliveries_that_are_both_read_is_told() -> None:
    merged = build_inventory([zone("v1", None, "L1"), zone("v2", None, "L1")])
    assert found(merged, "zone_deux_livraisons") == [["zsro", "Z1", "v2", 0]]


def test_versions_are_compared_one_by_one() -> None:
    three = [zone(f"v{year}", f"{year}-01-01", "L1", f"L{year}") for year in (2023, 2021, 2022)]
    merged = build_inventory(three)
    assert codes(merged["premise"]) == ["L1", "L2023"]
    replaced = merged.deliveries.set_index("delivery")["replaced_by"]
    assert replaced.to_dict() == {"v2023": "", "v2021": "v2022", "v2022": "v2023"}
    assert [row[1:3] for row in found(merged, "objet_retire") if row[0] == "premise"] == [
        ["L2021", "v2021"], ["L2022", "v2022"],
    ]  # fmt: skip
