"""Layers of cables: each rule of DESIGN D6 in its order."""

import pytest

from gracethd.network import Network, build_network
from tests.networks import cable, closure, draw, nro, patch, pbo, pm, prises, splice, wait, way

AT = {f"N{i}": (100.0 * i, 0.0) for i in range(6)}


def layers(network: Network, code: str) -> list[str]:
    asset = network.assets.index[(network.assets["kind"] == "cable") & (network.assets["code"] == code)]
    return sorted(network.sections.loc[network.sections["cable"].isin(asset), "layer"].unique())


def segment(network: Network, code: str) -> str:
    return str(network.assets.set_index(["kind", "code"]).loc[("cable", code), "segment"])


@pytest.mark.parametrize(
    ("typelog", "expected"),
    [
        ("CO", ["collecte"]),
        ("BM", ["collecte"]),
        ("LH", ["collecte"]),
        ("TR", ["transport"]),
        ("DI", ["distribution"]),
        ("TD", ["distribution", "transport"]),
        ("CT", ["collecte", "transport"]),
        ("CD", ["collecte", "distribution"]),
        ("CX", ["collecte", "distribution", "transport"]),
    ],
)
def test_the_code_of_the_cable_says_its_layers_and_a_mixed_one_is_one_asset_in_each(
    typelog: str, expected: list[str]
) -> None:
    network = build_network(draw(nro("NR", "N0"), pm("PM", "N1"), cable("C1", "N0", "N1", typelog), at=AT))
    assert layers(network, "C1") == expected
    assert (network.assets["code"] == "C1").sum() == 1
    assert "couche_inconnue" not in network.findings["rule"].tolist()


def test_an_end_at_a_premise_comes_before_the_code() -> None:
    home = prises("B1", "L1", nd_code="N2")
    network = build_network(draw(pm("PM", "N0"), pbo("B1", "N1"), home, cable("D1", "N1", "N2", "DI"), at=AT))
    assert segment(network, "D1") == "raccordement"
    assert layers(network, "D1") == ["distribution"]  # drops belong to distribution in the graph


def test_an_alignment_between_drawers_of_an_nro_and_a_pm_is_transport() -> None:
    """NR --C1-- B1 --C2-- PM, spliced in B1: both carry transport though C2 lies in ways of distribution."""
    network = build_network(
        draw(
            nro("NR", "N0"), pm("PM", "N2"), closure("B1", "N1"), cable("C1", "N0", "N1", None, fibres=1),
            cable("C2", "N1", "N2", None, fibres=1), patch("NR", "C1.1"), splice("B1", "C1.1", "C2.1"),
            patch("PM", "C2.1"), at=AT,
        )
    )  # fmt: skip
    assert layers(network, "C1") == layers(network, "C2") == ["transport"]


def test_an_alignment_that_meets_only_a_pm_is_distribution_and_two_nros_are_collecte() -> None:
    network = build_network(
        draw(
            nro("NR", "N0"), nro("NS", "N1"), pm("PM", "N2"),
            cable("C1", "N0", "N1", None, fibres=1), patch("NR", "C1.1"), patch("NS", "C1.1"),
            cable("C2", "N2", "N3", None, fibres=1), patch("PM", "C2.1"), at=AT,
        )
    )  # fmt: skip
    assert layers(network, "C1") == ["collecte"]
    assert layers(network, "C2") == ["distribution"]


@pytest.mark.parametrize("named", [True, False])
def test_an_alignment_from_one_nro_to_a_pbo_is_distribution(named: bool) -> None:  # noqa: FBT001
    """NR --C1-- B1(PBO): the fibre reaches the PBO even when no position there names it."""
    there = [wait("B1", "C1.1")] if named else []
    network = build_network(
        draw(
            nro("NR", "N0"), pbo("B1", "N1"), cable("C1", "N0", "N1", None, fibres=1), patch("NR", "C1.1"),
            *there, way("W1", "N0", "N1", "C1"), at=AT,
        )
    )  # fmt: skip
    assert layers(network, "C1") == ["distribution"]


def test_racks_at_both_ends_tell_before_the_ways() -> None:
    tagged = way("W1", "N0", "N1", "C1")
    tagged["cheminement"][0]["cm_typelog"] = "DI"  # type: ignore[index]
    network = build_network(
        draw(nro("NR", "N0"), pm("PM", "N1"), cable("C1", "N0", "N1", None), tagged, at=AT)
    )
    assert layers(network, "C1") == ["transport"]


@pytest.mark.parametrize(
    ("codes", "expected"),
    [(("DI", "DI"), ["distribution"]), (("DI", "TR"), ["transport"]), (("CX", "CX"), ["transport"])],
)
def test_ways_tell_when_their_codes_are_equal_and_unmixed_else_position_does(
    codes: tuple[str, str], expected: list[str]
) -> None:
    """NR --C1-- (N1), upstream of the PM at N3: position says transport."""
    ways = [way(f"W{i}", "N0", "N1", "C1") for i in (1, 2)]
    for piece, code in zip(ways, codes, strict=True):
        piece["cheminement"][0]["cm_typelog"] = code  # type: ignore[index]
    network = build_network(
        draw(nro("NR", "N0"), pm("PM", "N3"), cable("C1", "N0", "N1", None), *ways, at=AT)
    )
    assert layers(network, "C1") == expected


def test_position_tells_upstream_of_the_pm_from_beyond_it() -> None:
    """NR(N0) --C1-- N1 --C2-- PM(N2) --C3-- N3 --C4-- N4: nothing else is known."""
    cables = [cable(f"C{i}", f"N{i - 1}", f"N{i}", None) for i in (1, 2, 3, 4)]
    network = build_network(draw(nro("NR", "N0"), pm("PM", "N2"), *cables, at=AT))
    assert [layers(network, f"C{i}") for i in (1, 2)] == [["transport"]] * 2
    assert [layers(network, f"C{i}") for i in (3, 4)] == [["distribution"]] * 2


def test_a_chamber_that_both_layers_share_leaves_position_without_answer() -> None:
    """NR(N0) --C1-- N1 ==C2,C3== PM(N2), N1 --C4-- PBO B1(N3): C2 or C3 is transport, nothing says which."""
    network = build_network(
        draw(
            nro("NR", "N0"), pm("PM", "N2"), pbo("B1", "N3"), cable("C1", "N0", "N1", None),
            cable("C2", "N1", "N2", None), cable("C3", "N1", "N2", None),
            cable("C4", "N1", "N3", None), at=AT,
        )
    )  # fmt: skip
    for code in ("C1", "C2", "C3", "C4"):
        assert layers(network, code) == ["distribution", "transport"]
    found = network.findings.query("rule == 'couche_inconnue'")
    assert found["code"].tolist() == ["C1", "C2", "C3", "C4"]


def test_an_unknown_code_of_the_list_tells_nothing() -> None:
    network = build_network(draw(pm("PM", "N0"), cable("C1", "N0", "N1", "NC"), at=AT))
    assert layers(network, "C1") == ["distribution"]  # by position


def test_the_segment_of_a_place_is_the_upstream_most_of_the_cables_that_pass_it() -> None:
    """One closure and one chamber hold transport and distribution (BP000180030714 of the public samples)."""
    network = build_network(
        draw(
            nro("NR", "N0"), pm("PM", "N2"), closure("B1", "N1"), cable("T1", "N0", "N1", "TR"),
            cable("T2", "N1", "N2", "TR"), cable("C1", "N2", "N1", "DI"), cable("C2", "N1", "N3", "DI"),
            at=AT,
        )
    )  # fmt: skip
    by = network.assets.set_index(["kind", "code"])["segment"]
    assert by[("ebp", "B1")] == by[("noeud", "N1")] == by[("ptech", "PTB1")] == "transport"
    assert by[("noeud", "N3")] == "distribution"
    assert by[("noeud", "N4")] == ""
