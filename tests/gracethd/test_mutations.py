"""Deliveries spoilt at random: the whole way is walked or refused in one sentence, and the fault is named."""

from collections.abc import Sequence
from dataclasses import replace

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gracethd.check import check_all
from gracethd.deliveries import Delivery, open_deliveries
from gracethd.errors import GraceTHDError
from gracethd.network import build_network
from gracethd.reading import build_inventory
from gracethd.routes import trace_routes
from gracethd.synth import random_area, synthesise, write_synth
from tests.draws import PROFILE, draws
from tests.gracethd.mutations import FAULTS, Expected, Tables


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> list[Delivery]:
    """Give a collecte, a transport and a distribution delivery of 40 prises, without fault."""
    folder = tmp_path_factory.mktemp("sound")
    write_synth(synthesise(random_area(40, seed=3, version="mixed"), seed=3, faults=0.0), folder / "network")
    return open_deliveries([folder / "network" / "livraisons"])


@pytest.fixture(scope="module")
def zone(sound: list[Delivery]) -> Delivery:
    """Give the distribution delivery alone."""
    return next(one for one in sound if "t_suf" in one.tables or "t_local" in one.tables)


@pytest.fixture(scope="module")
def said_of_zone(zone: Delivery) -> pd.DataFrame:
    return findings_of_reading([zone])


def findings_of_reading(deliveries: Sequence[Delivery]) -> pd.DataFrame:
    """Check and merge, and give all that is said; a refusal is one more finding."""
    found = pd.DataFrame(check_all(deliveries))
    try:
        return pd.concat([found, build_inventory(deliveries).findings])
    except GraceTHDError as error:
        refusal = pd.DataFrame({"rule": ["refus"], "table": [""], "code": [""], "message": [str(error)]})
        return pd.concat([found, refusal])


def walk(deliveries: Sequence[Delivery]) -> None:
    """Walk the whole way, or be refused in a sentence."""
    if PROFILE == "night":  # the checks walk it too; in a run they meet each kind of fault in the test above
        check_all(deliveries)
    try:
        inventory = build_inventory(deliveries)
        routes = trace_routes(inventory, build_network(inventory))
    except GraceTHDError:
        return
    assert_sums(routes.prises, routes.counts)
    assert routes.counts["prises_inventoried"] >= at_least(deliveries)


def assert_sums(prises: pd.DataFrame, counts: dict[str, object]) -> None:
    """Assert D15: traced + untraced = inventoried, in total and for each delivery, reasons included."""
    traced = sum(int(str(counts[f"prises_traced_{how}"])) for how in ("splice", "cable", "zone"))
    assert counts["prises_inventoried"] == traced + int(str(counts["prises_untraced"]))
    reasons = counts["prises_untraced_reasons"]
    assert isinstance(reasons, dict)
    assert sum(reasons.values()) == counts["prises_untraced"]
    assert prises["n"].sum() == counts["prises_inventoried"]
    untraced = prises["traced"] == ""
    assert (untraced == (prises["reason"] != "")).all()


def at_least(deliveries: Sequence[Delivery]) -> int:
    """Count, row by row, premises with a code that are prises and are not abandoned: each once."""
    codes = set()
    for one in deliveries:
        suf, local = one.tables.get("t_suf"), one.tables.get("t_local")
        if suf is not None and {"sf_code", "sf_type"} <= set(suf):
            codes |= set(suf.loc[suf["sf_type"].isin(list("RPEU")), "sf_code"].dropna())
        if local is not None and {"lc_code", "lc_typelog"} <= set(local):
            prises = local["lc_typelog"].isin(["RES", "PRO", "ENT", "PUB", "FTTH"])
            codes |= set(local.loc[prises, "lc_code"].dropna())
    return len(codes)


def new_findings(found: pd.DataFrame, before: pd.DataFrame) -> pd.DataFrame:
    columns = ["rule", "table", "code", "message"]
    known = set(before[columns].fillna("").itertuples(index=False, name=None))
    rows = found[columns].fillna("")
    return rows[[row not in known for row in rows.itertuples(index=False, name=None)]]


def assert_named(found: pd.DataFrame, kind: str, table: str, expected: Expected) -> None:
    rules, code = expected
    rows = found[found["rule"].isin(rules)] if rules else found
    if code and rules:
        rows = rows[rows["code"].str.contains(code, regex=False)]
    assert len(rows), f"{kind} in {table} ({code}) is told by nothing new: {found.to_string()}"


@pytest.mark.parametrize("kind", sorted(FAULTS))
def test_each_kind_of_fault_is_named(kind: str, zone: Delivery, said_of_zone: pd.DataFrame) -> None:
    """Put the fault in the first of three core tables that can have it."""
    for table in ("t_noeud", "t_ebp", "t_cable"):
        tables: Tables = dict(zone.tables)
        expected = FAULTS[kind](tables, table, lambda n: n // 2)
        if expected is not None:
            break
    found = new_findings(findings_of_reading([replace(zone, tables=tables)]), said_of_zone)
    if expected is not None:
        assert_named(found, kind, table, expected)


@settings(max_examples=draws(27), suppress_health_check=list(HealthCheck), deadline=None)
@given(data=st.data())
def test_faults_in_any_tables_are_survived_and_sums_hold(data: st.DataObject, sound: list[Delivery]) -> None:
    which = data.draw(st.integers(0, len(sound) - 1), label="delivery")
    tables: Tables = dict(sound[which].tables)
    for _ in range(3):
        kind = data.draw(st.sampled_from(sorted(FAULTS)), label="fault")
        table = data.draw(st.sampled_from(sorted(tables)), label="table")
        FAULTS[kind](tables, table, lambda n: data.draw(st.integers(0, n - 1), label="row"))
    walk([replace(one, tables=tables) if i == which else one for i, one in enumerate(sound)])
