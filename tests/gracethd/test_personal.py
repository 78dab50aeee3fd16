"""What deliveries tell of persons: nowhere unless it is asked for, and then in stores and deliveries only."""

import zipfile
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from gracethd.carried import encoded
from gracethd.cli import app, run_command
from gracethd.deliveries import Delivery
from gracethd.deliveries.write import WrittenVersion, write_delivery
from gracethd.export import as_version, delivered_tables, pseudonymise
from gracethd.inventory import Inventory
from gracethd.model import PERSONAL, PERSONAL_WITHOUT_SIREN
from gracethd.personal import without_persons
from gracethd.reading import build_inventory, read, read_with_personal
from gracethd.store import write_store
from tests.deliveries import delivery, ground, table

DAY = date(2026, 3, 1)
SECRETS = ("Zoe Secret1", "secret2@exemple", "Secret3 Nom", "PTO-Secret4")
"""Owner of a premise, mail of a company, name of a person without company number, label of an outlet."""


@pytest.fixture
def told(demo01_copy: Path) -> Path:
    """Give demo01 with four values about persons, and values of the same attributes that are about none."""

    def change(name: str, column: str, values: pd.Series) -> None:
        path = demo01_copy / f"{name}.csv"
        table = pd.read_csv(path, sep=";", dtype=str)
        table[column] = values
        table.to_csv(path, sep=";", index=False)

    suf = pd.read_csv(demo01_copy / "t_suf.csv", sep=";", dtype=str)
    change("t_suf", "sf_prop", pd.Series([SECRETS[0]], index=[1]).reindex(suf.index))
    company, person = (
        {"or_code": "ORX1", "or_nom": "Plain Company", "or_siren": "123456782"},
        {"or_code": "ORX2"},
    )
    organisme = pd.DataFrame(
        [{**company, "or_mail": SECRETS[1]}, {**person, "or_nom": SECRETS[2]}],
        columns=["or_code", "or_nom", "or_siren", "or_siret", "or_mail"],
    )
    organisme.to_csv(demo01_copy / "t_organisme.csv", sep=";", index=False)
    ebp = pd.read_csv(demo01_copy / "t_ebp.csv", sep=";", dtype=str)
    outlet = ebp["bp_typelog"] == "PTO"
    first = outlet & ~outlet.duplicated()
    assert first.any()
    label = ebp["bp_etiquet"].mask(outlet).mask(first, SECRETS[3])
    change("t_ebp", "bp_etiquet", label.mask(ebp["bp_typelog"] == "PBO", "PBO-Plain5"))
    return demo01_copy


def holds(path: Path) -> list[bool]:
    files = [path] if path.is_file() else [file for file in path.rglob("*") if file.is_file()]
    raw = b"".join(file.read_bytes() for file in files)
    return [secret.encode() in raw for secret in SECRETS]


def export(inventory: Inventory, path: Path) -> Path:
    migrated, _ = as_version(inventory, "2.0.1")
    write_delivery(delivered_tables(migrated, "2.0.1"), "2.0.1", path)
    return path


def test_nothing_about_persons_enters_an_inventory_unasked(told: Path, tmp_path: Path) -> None:
    inventory = read(told, carried=True)
    assert not len(inventory.personal)
    write_store(inventory, tmp_path / "s.gpkg", day=DAY)  # SQLite holds texts as they are
    assert holds(told) == [True] * 4
    assert holds(tmp_path / "s.gpkg") == holds(export(inventory, tmp_path / "d")) == [False] * 4
    raw = (tmp_path / "s.gpkg").read_bytes()
    assert b"Plain Company" in raw
    assert b"PBO-Plain5" in raw


def test_what_is_kept_goes_into_stores_and_deliveries_and_nowhere_else(told: Path, tmp_path: Path) -> None:
    inventory = read(told, reader=read_with_personal, carried=True)
    kept = inventory.personal
    assert set(kept["value"]) >= set(SECRETS)
    assert "PBO-Plain5" not in set(kept["value"])
    assert "Plain Company" not in set(kept["value"])
    owner = kept[kept["value"] == SECRETS[0]]
    second = pd.read_csv(told / "t_suf.csv", sep=";", dtype=str)["sf_code"][1]
    assert owner[["table", "code", "attribute"]].to_numpy().tolist() == [["premise", second, "sf_prop"]]
    plain = read(told, carried=True)
    assert inventory.deliveries.equals(plain.deliveries)
    for name, rows in plain.items():
        assert inventory[name].equals(rows), name  # no analysis sees a difference
    assert {name: [*rows] for name, rows in inventory.carried.items()} == {
        name: [*rows] for name, rows in plain.carried.items()
    }

    for form in ("s.gpkg", "s.parquet"):
        write_store(inventory, tmp_path / form, day=DAY)
        pd.testing.assert_frame_equal(read(tmp_path / form, carried=True).personal, kept)
        assert not len(read(tmp_path / form).personal)
    assert holds(tmp_path / "s.gpkg") == [True] * 4
    again = read(
        export(read(tmp_path / "s.gpkg", carried=True), tmp_path / "d"),
        reader=read_with_personal,
        carried=True,
    )
    pd.testing.assert_frame_equal(again.personal, kept)
    assert holds(export(pseudonymise(inventory), tmp_path / "support")) == [False] * 4


def test_what_version_3_has_no_attribute_for_is_counted(told: Path) -> None:
    """The owner of a SUF is that of a local; its resident has no place there."""
    suf = pd.read_csv(told / "t_suf.csv", sep=";", dtype=str).assign(sf_resid="Resident6")
    suf.to_csv(told / "t_suf.csv", sep=";", index=False)
    migrated, findings = as_version(read(told, reader=read_with_personal, carried=True), "3.0.1")
    lost = findings[(findings["rule"] == "export_perdu") & (findings["attribute"] == "sf_resid")]
    assert lost["message"].tolist() == [f"{len(suf)} valeurs sans attribut en 3.0.1 : non portées"]
    local = delivered_tables(migrated, "3.0.1")["t_local"]
    premises = local[local["lc_code"].isin(suf["sf_code"])]  # the other rows are rooms, with their owner
    assert premises["lc_prop"].dropna().tolist() == [SECRETS[0]]


def test_a_code_that_is_parted_is_parted_where_a_person_has_it_too() -> None:
    """Two deliveries use OR1 for two companies: the owner of each premise stays its own."""

    def one(name: str, siren: str, premise: str) -> Delivery:
        rows = {
            "t_organisme": table({"or_code": "OR1", "or_nom": name, "or_siren": siren}),
            "t_local": table({"lc_code": premise, "lc_typelog": "RES", "lc_prop": "OR1"}),
        }
        return encoded(delivery(name, **ground(**rows)), personal=True)

    merged = build_inventory([one("d1", "1", "A"), one("d2", "2", "B")], carried=True)
    owners = merged.personal.set_index("code")["value"]
    assert owners.to_dict() == {"A": "OR1", "B": "OR1~d2"}


def marked(name: str) -> dict[str, str]:
    """Give a value to each attribute about persons of a table, found nowhere else."""
    attributes = [*PERSONAL[name], *(PERSONAL_WITHOUT_SIREN if name == "t_organisme" else ())]
    return {one: "7315926" if one == "or_numero" else f"Secret-{one}" for one in attributes}


@pytest.fixture
def lot(tmp_path: Path) -> Path:
    """Give a delivery of each version that tells all that may be told of persons."""
    at = [(700_000.0, 7_000_000.0)]
    versions: dict[WrittenVersion, dict[str, pd.DataFrame]] = {
        "2.0.1": {
            "t_noeud": table({"nd_code": "N1"}, at=at),
            "t_suf": table({"sf_code": "L1", "sf_nd_code": "N1", "sf_type": "R", **marked("t_suf")}),
            "t_ebp": table(
                {"bp_code": "B1", "bp_typelog": "PBO"},
                {"bp_code": "B2", "bp_typelog": "PTO", "bp_sf_code": "L1", **marked("t_ebp")},
            ),
            "t_organisme": table({"or_code": "OR1", **marked("t_organisme")}),
        },
        "3.0.1": {
            "t_noeud": table({"nd_code": "N2"}, at=at),
            "t_site": table({"st_code": "S2", "st_nd_code": "N2"}),
            "t_local": table(
                {"lc_code": "L2", "lc_st_code": "S2", "lc_typelog": "RES", **marked("t_local")},
            ),
            "t_ebp": table({"bp_code": "B3", "bp_typelog": "PBO"}),
        },
    }
    for version, tables in versions.items():
        plain = {name: rows.drop(columns="line") for name, rows in tables.items()}
        (tmp_path / "lot").mkdir(exist_ok=True)
        write_delivery(plain, version, tmp_path / "lot" / f"d{version[0]}")
    return tmp_path / "lot"


def secrets_in(*paths: Path) -> set[str]:
    """Give the marked values that stand in the bytes of files, those packed in archives too."""
    files = [file for path in paths for file in (path, *path.rglob("*")) if file.is_file()]
    raw = b"".join(file.read_bytes() for file in files)
    for file in files:
        if zipfile.is_zipfile(file):  # workbooks
            with zipfile.ZipFile(file) as archive:
                raw += b"".join(archive.read(member) for member in archive.namelist())
    return {value for name in PERSONAL for value in marked(name).values() if value.encode() in raw}


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    def command(*arguments: object) -> None:
        monkeypatch.setattr("sys.argv", ["gracethd", *map(str, arguments)])
        assert run_command(app) == 0

    return command


@pytest.mark.parametrize("keep", [False, True])
def test_the_command_keeps_persons_in_the_store_and_its_deliveries_where_it_is_asked_to(
    lot: Path, tmp_path: Path, run: Callable[..., None], capsys: pytest.CaptureFixture[str], *, keep: bool
) -> None:
    everything = {value for name in PERSONAL for value in marked(name).values()}
    assert secrets_in(lot) == everything
    out = tmp_path / "out"
    out.mkdir()
    run("import", lot, "-o", out / "s.gpkg", *(["--keep-personal"] if keep else []))
    for version in ("2.0.1", "3.0.1"):
        run("export", out / "s.gpkg", "--version", version, "-o", out / version)
    handed_over = everything if keep else set()
    assert secrets_in(out / "s.gpkg") == handed_over
    assert secrets_in(out / "2.0.1", out / "3.0.1") == handed_over
    run("export", out / "s.gpkg", "--version", "2.0.1", "--pseudonymise", "-o", out / "support")
    run("report", out / "s.gpkg", "-o", out / "report")
    run("export", lot, "--version", "2.0.1", "-o", out / "direct")  # of deliveries nothing was kept
    never = [out / "support", out / "report", out / "direct"]
    for suffix in ("csv", "html"):
        findings = out / f"findings.{suffix}"
        run("check", lot, "-o", findings)
        never.append(findings)
    assert secrets_in(*never) == set()
    (tmp_path / "printed").write_text("".join(capsys.readouterr()), encoding="utf-8")
    assert secrets_in(tmp_path / "printed") == set()


def test_attributes_that_tell_of_persons_are_told_by_the_row() -> None:
    """Labels of outlets, however their type is written, and premises of version 3; not boxes and rooms."""
    boxes = table(*({"bp_code": one, "bp_typelog": one, "bp_etiquet": "x"} for one in ("PBO", "PTO", "dti")))
    assert without_persons("t_ebp", boxes)["bp_etiquet"].fillna("").tolist() == ["x", "", ""]
    locals_ = table(*({"lc_code": one, "lc_typelog": one, "lc_prop": "x"} for one in ("SRO", "RES", "OBJ")))
    assert without_persons("t_local", locals_)["lc_prop"].fillna("").tolist() == ["x", "", ""]
