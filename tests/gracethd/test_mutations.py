"""Deliveries spoilt at random: the whole way is walked, sums hold, and the fault is named.

A draw is one fault in one copy of a tiny network; many copies are checked, merged and traced together
(`tests.gracethd.copies`), a sound one of each version among them, so that nothing may be refused.
"""

import math
import shutil
import tempfile
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from gracethd.check.built import Built
from gracethd.deliveries import Delivery, open_delivery
from gracethd.errors import GraceTHDError
from gracethd.synth import random_area, synthesise, write_synth
from tests.draws import PROFILE
from tests.gracethd.copies import copy_of, new, said_of, tiny, walk
from tests.gracethd.mutations import FAULTS, Tables, Told, lost

VERSIONS = ("2.0.1", "3.0.1")
TOGETHER = {"ci": 100, "night": 100, "versions": 40}[PROFILE]
WALKS = {"ci": 2, "night": 20, "versions": 1}[PROFILE]
"""Of `TOGETHER` draws each: 200 in `.ci/run`, 2,000 in `.ci/long`."""
FILES = {"ci": 4, "night": 50, "versions": 2}[PROFILE]
"""Deliveries of which a file is spoilt, in one walk."""

# a walk that fails tells the draw: fewer of them would tell no more, and take minutes
walks = settings(
    suppress_health_check=list(HealthCheck),
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
)


@dataclass(frozen=True)
class Draw:
    """One fault: its kind, the table it is put in or the next that can have it, and a number for its row."""

    kind: int
    table: int
    row: int


@pytest.fixture(scope="module")
def copies(tmp_path_factory: pytest.TempPathFactory) -> list[Delivery]:
    """Give sound copies of one network in both versions, by turns."""
    folder = tmp_path_factory.mktemp("tiny")
    sound = [tiny(folder / version, version) for version in VERSIONS]
    return [copy_of(sound[number % 2], number) for number in range(TOGETHER + 2)]


def spoilt(delivery: Delivery, draw: Draw) -> tuple[Delivery, str, Told]:
    """Give the delivery with the fault, what was done, and what must be said."""
    kind, names = sorted(FAULTS)[draw.kind % len(FAULTS)], sorted(delivery.tables)
    for rank in range(len(names)):
        table, tables = names[(draw.table + rank) % len(names)], dict(delivery.tables)
        told = FAULTS[kind](tables, table, lambda n: draw.row % n)
        if told is not None:
            return replace(delivery, tables=tables), f"{kind} in {table} of {delivery.name}", told
    raise AssertionError(f"no table of {delivery.name} can have {kind}")


def assert_all_hold(copies: Sequence[Delivery], faulty: Sequence[tuple[Delivery, str, Told]]) -> None:
    """Walk the whole way with the first two copies, which are sound, and judge each of the others."""
    sound = list(copies[:2])
    findings, built = walk([*sound, *(one for one, _, _ in faulty)])
    assert_sums(built)
    for one in sound:
        assert_demand(built, one, "sound")
    before = [said_of(findings, one.name) for one in sound]
    for one, what, told in faulty:
        assert_demand(built, one, what)
        assert_named(new(said_of(findings, one.name), before[int(one.name) % 2]), what, told, one.name)


def assert_sums(built: Built) -> None:
    """Assert D15 in total: traced + untraced = inventoried, each untraced prise with its reason."""
    prises, counts = built.routes.prises, built.routes.counts
    traced = sum(counts[f"prises_traced_{how}"] for how in ("splice", "cable", "zone"))
    assert counts["prises_inventoried"] == traced + counts["prises_untraced"] == prises["n"].sum()
    assert sum(counts["prises_untraced_reasons"].values()) == counts["prises_untraced"]
    is_traced = prises["traced"].isin(["splice", "cable", "zone"])
    assert (is_traced ^ (prises["reason"] != "")).all()


def assert_demand(built: Built, delivery: Delivery, what: str) -> None:
    """Assert D15 of a delivery: traced + untraced is what its rows say, whatever fault they have."""
    prises = built.routes.prises
    own = prises[prises["delivery"] == delivery.name]
    traced, untraced = (own.loc[own["reason"].eq("") == how, "n"].sum() for how in (True, False))
    assert traced + untraced == demand_of(delivery.tables), what


def demand_of(tables: Tables) -> int:
    """Count prises as D15 is read, row by row: premises, then what addresses announce beyond them."""
    site = dict(rows_of(tables, "t_site", "st_code"))
    address: list[str | None] = []
    for _, row in rows_of(tables, "t_suf", "sf_code"):
        if row.get("sf_type") in (None, "R", "P", "E", "U"):
            address.append(row.get("sf_ad_code"))
    local = tables.get("t_local", pd.DataFrame(columns=["lc_typelog"]))
    premises = local[~local["lc_typelog"].isin(ROOMS)] if "lc_typelog" in local else local.iloc[:0]
    for _, row in rows_of({"t_local": premises}, "t_local", "lc_code"):
        if row.get("lc_typelog") in PRISES:
            address.append(site.get(row.get("lc_st_code") or "", {}).get("st_ad_code"))
    total = len(address)
    for code, row in rows_of(tables, "t_adresse", "ad_code"):
        homes = number(row.get("ad_nblhab"))
        told = [number(row.get("ad_nblres")) if homes is None else homes]
        told += [number(row.get(name)) for name in ("ad_nblpro", "ad_nblent", "ad_nblpub")]
        announced = sum(one for one in told if one is not None)
        total += max(0, int(announced - address.count(code)))
    return total


PRISES = ("RES", "PRO", "ENT", "PUB", "FTTH")
ROOMS = ("NRO", "NRA", "NRAHD", "NRAMED", "NRAZO", "SRO", "SROL", "SROS", "TEC", "HEBERG")


def rows_of(tables: Tables, table: str, key: str) -> Iterator[tuple[str, dict[str, str | None]]]:
    """Give the rows in service of a table by their key, the first of each."""
    seen = set()
    frame = pd.DataFrame(tables.get(table, pd.DataFrame())).drop(columns="geometry", errors="ignore")
    for values in frame.to_dict("records"):
        row = {str(name): None if pd.isna(value) else str(value) for name, value in values.items()}
        flags = [name for name in row if name.endswith("_abandon")]
        gone = any((row[name] or "").lower() in ("1", "t", "o", "true", "oui", "vrai") for name in flags)
        gone |= any(row[name] is not None for name in row if name.endswith("_abddate"))
        code = row.get(key)
        if code is None or gone or code in seen:
            continue
        seen.add(code)
        yield code, row


def number(text: str | None) -> float | None:
    try:
        value = float((text or "").replace(",", "."))
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def assert_named(said: pd.DataFrame, what: str, told: Told, name: str) -> None:
    if not told.rules:
        return
    rows = said[said["rule"].isin(told.rules) & (said["table"] == told.table)]
    if told.code:
        rows = rows[rows["code"] == told.code.replace(f"{name}-", "")]
    if told.line:
        rows = rows[rows["line"] == told.line]
    assert len(rows), f"{what}: {told} is told by nothing new: {said.to_string()}"


def test_each_kind_of_fault_can_be_put_in_each_version_and_must_be_told(copies: list[Delivery]) -> None:
    """A kind that no table can have, or that need only be survived wherever it is put, tests nothing."""
    for copy in copies[:2]:
        for kind, name in enumerate(sorted(FAULTS)):
            put = [spoilt(copy, Draw(kind, table, 1)) for table in range(len(copy.tables))]
            assert any(told.rules for _, _, told in put), name


ranks = st.integers(0, 10_000)
draws_of_faults = st.lists(st.tuples(ranks, ranks), min_size=TOGETHER, max_size=TOGETHER)


@settings(walks, max_examples=WALKS)
@given(drawn=draws_of_faults)
def test_faults_anywhere_are_survived_and_named_and_sums_hold(
    drawn: list[tuple[int, int]], copies: list[Delivery]
) -> None:
    """Kinds come in turn, and each in both versions; tables and rows are drawn."""
    faulty = [
        spoilt(copy, Draw(turn, *at)) for turn, (copy, at) in enumerate(zip(copies[2:], drawn, strict=True))
    ]
    assert_all_hold(copies, faulty)


FILE_FAULTS = ("cut", "emptied", "gone", "noise")
READING = {
    ("gone", ".cpg"): "cpg_absent",
    ("gone", ".prj"): "crs_absent",
    ("emptied", ".csv"): "fichier_vide",
}
"""What is said at reading of a file that is gone or emptied; a part of a layer that is cut may be refused."""


def spoil_file(path: Path, kind: str, at: int) -> None:
    content = path.read_bytes()
    place = at % max(len(content), 1)
    if kind == "gone":
        path.unlink()
    elif kind == "emptied":
        path.write_bytes(b"")
    elif kind == "cut":
        path.write_bytes(content[:place])
    else:
        path.write_bytes(content[:place] + b'\xff\x00;"\n' + content[place + 5 :])


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the files of a distribution of 4 prises."""
    base = tmp_path_factory.mktemp("files")
    write_synth(synthesise(random_area(4, seed=3, version="2.0.1"), seed=3, faults=0.0), base / "network")
    archive = next((base / "network" / "livraisons").glob("DISTRIBUTION*"))
    with zipfile.ZipFile(archive) as packed:
        packed.extractall(base / "sound")
    return base / "sound"


def opened(folder: Path, kind: str, file: int, at: int) -> tuple[Delivery, str, Path] | None:
    """Spoil a file of a copy of a folder and open it; None where it is refused, by the name of the file."""
    with tempfile.TemporaryDirectory() as temporary:
        copy = Path(temporary) / "LOT"
        shutil.copytree(folder, copy)
        files = sorted(path for path in copy.rglob("*") if path.is_file())
        path = files[file % len(files)]
        spoil_file(path, kind, at)
        try:
            return open_delivery(copy), kind, path
        except GraceTHDError as error:
            assert path.stem in str(error)  # noqa: PT017 - either outcome is right
            return None


file_faults = st.tuples(st.sampled_from(FILE_FAULTS), ranks, st.integers(0, 1_000_000))


@settings(walks, max_examples=1)
@given(drawn=st.lists(file_faults, min_size=FILES, max_size=FILES))
def test_spoilt_files_are_read_and_told_or_refused_by_name(
    drawn: list[tuple[str, int, int]], folder: Path, copies: list[Delivery]
) -> None:
    sound = open_delivery(folder)
    read = [one for one in (opened(folder, *draw) for draw in drawn) if one is not None]
    apart = [copy_of(one, 3 + rank) for rank, (one, _, _) in enumerate(read)]
    findings, built = walk([*copies[:2], copy_of(sound, 2), *apart])
    assert_sums(built)
    before = said_of(findings, "002")
    for copy, (delivery, kind, path) in zip(apart, read, strict=True):
        what, table = f"{path.name} {kind}", path.stem
        assert_demand(built, copy, what)
        if rule := READING.get((kind, path.suffix)):
            told = delivery.findings[delivery.findings["rule"] == rule]
            assert table in {*told["table"], *(Path(code).stem for code in told["code"])}, what
        if kind in ("gone", "emptied") and path.suffix == ".csv":
            missed = lost(dict(sound.tables), {**delivery.tables, table: sound.tables[table].iloc[:0]}, table)
            assert_named(new(said_of(findings, copy.name), before), what, missed, copy.name)
