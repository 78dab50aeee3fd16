"""An archive is unpacked only where it can do no harm."""

import re
import stat
import struct
import tempfile
import tracemalloc
import zipfile
import zlib
from pathlib import Path

import pytest

from gracethd.deliveries import archives, open_deliveries, open_delivery
from gracethd.errors import SourceError

CABLE = b"cb_code;cb_nd1;cb_tech\nCB1;;\n"


def packed(path: Path, members: dict[str, bytes], *, method: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


@pytest.fixture(autouse=True)
def private_temporary_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


def test_only_tables_are_unpacked_and_nothing_is_left(tmp_path: Path, private_temporary_folder: Path) -> None:
    members = {
        "SRO_7/T_CABLE.CSV": CABLE,
        "SRO_7/plan.pdf": b"x",
        "SRO_7/t_truc.csv": b"a",
        "notes.txt": b"x",
    }
    delivery = open_delivery(packed(tmp_path / "SRO_7.zip", members))
    assert delivery.name == "SRO_7"
    assert delivery.tables["t_cable"]["cb_code"].tolist() == ["CB1"]
    assert delivery.findings[["rule", "code"]].to_numpy().tolist() == [["table_inconnue", "t_truc.csv"]]
    assert list(private_temporary_folder.iterdir()) == []


@pytest.mark.parametrize(
    "name",
    [
        "../t_cable.csv",
        "a/../../t_cable.csv",
        "/t_cable.csv",
        "C:/t_cable.csv",
        "..\\t_cable.csv",
        "\\t_cable.csv",
    ],
)
def test_names_that_lead_out_are_refused(tmp_path: Path, private_temporary_folder: Path, name: str) -> None:
    path = packed(tmp_path / "livraison.zip", {"t_baie.csv": b"ba_code\nB\n", name: CABLE})
    with pytest.raises(SourceError, match="not unpacked"):
        open_delivery(path)
    assert list(tmp_path.rglob("t_*")) == []
    assert list(private_temporary_folder.iterdir()) == []


def test_links_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "livraison.zip"
    with zipfile.ZipFile(path, "w") as archive:
        link = zipfile.ZipInfo("t_cable.csv")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, "/etc/hostname")
    with pytest.raises(SourceError, match="link"):
        open_delivery(path)


def test_encrypted_members_are_refused(tmp_path: Path) -> None:
    path = packed(tmp_path / "livraison.zip", {"t_cable.csv": CABLE})
    content = bytearray(path.read_bytes())
    for magic, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(magic) + offset] |= 1
    path.write_bytes(content)
    with pytest.raises(SourceError, match="password"):
        open_delivery(path)


def test_sizes_ratios_and_counts_are_limited(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = packed(
        tmp_path / "livraison.zip", {"t_cable.csv": CABLE + b";;\n" * 100_000, "t_baie.csv": b"ba_code\n"}
    )
    monkeypatch.setattr(archives, "RATIO_FROM_BYTES", 1000)
    monkeypatch.setattr(archives, "MAX_RATIO", 50)
    with pytest.raises(SourceError, match="times bigger"):
        open_delivery(path)
    monkeypatch.setattr(archives, "MAX_RATIO", 5000)
    monkeypatch.setattr(archives, "MAX_UNPACKED_BYTES", 1000)
    with pytest.raises(SourceError, match="once unpacked, more than"):
        open_delivery(path)
    monkeypatch.setattr(archives, "MAX_MEMBERS", 1)
    with pytest.raises(SourceError, match="2 files"):
        open_delivery(path)


def test_a_member_longer_than_announced_is_refused(tmp_path: Path, private_temporary_folder: Path) -> None:
    path = packed(tmp_path / "livraison.zip", {"t_cable.csv": CABLE}, method=zipfile.ZIP_STORED)
    content = bytearray(path.read_bytes())
    central = content.index(b"PK\x01\x02")
    content[central + 24 : central + 28] = struct.pack("<I", 5)
    path.write_bytes(content)
    with pytest.raises(SourceError, match="damaged"):
        open_delivery(path)
    assert list(private_temporary_folder.iterdir()) == []


@pytest.mark.parametrize(
    ("announced", "message"), [(10 * 2**30, r"times bigger once unpacked \(limit 400\)"), (1000, "damaged")]
)
def test_ten_gigabytes_of_zeros_are_refused_unread_or_at_the_size_announced(
    tmp_path: Path, private_temporary_folder: Path, announced: int, message: str
) -> None:
    """A run of zeros, deflated once and repeated, is the 10 GB; the second archive lies about its size."""
    packer = zlib.compressobj(9, wbits=-15)
    run = packer.compress(bytes(2**24)) + packer.flush(zlib.Z_FULL_FLUSH)
    zeros = run * (10 * 2**30 // 2**24) + zlib.compressobj(wbits=-15).flush()
    path = tmp_path / "livraison.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("t_cable.csv", zeros)
        member = archive.getinfo("t_cable.csv")  # its entry is written when the archive is closed
        member.compress_type, member.file_size = zipfile.ZIP_DEFLATED, announced
    del zeros
    tracemalloc.start()
    try:
        with pytest.raises(SourceError, match=message):
            open_delivery(path)
        assert tracemalloc.get_traced_memory()[1] < 2**25
    finally:
        tracemalloc.stop()
    assert list(private_temporary_folder.iterdir()) == []


def test_the_same_file_in_two_cases_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="twice"):
        open_delivery(packed(tmp_path / "livraison.zip", {"t_cable.csv": CABLE, "T_CABLE.csv": CABLE}))


@pytest.mark.parametrize("content", [b"", b"not a zip", b"PK\x05\x06" + b"\0" * 10])
def test_what_is_not_a_zip_is_said_so(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "livraison.zip"
    path.write_bytes(content)
    with pytest.raises(SourceError, match="damaged"):
        open_delivery(path)


def test_a_cut_zip_is_an_error(tmp_path: Path) -> None:
    path = packed(tmp_path / "livraison.zip", {"t_cable.csv": CABLE * 50})
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(SourceError, match="damaged"):
        open_delivery(path)


def nested(tmp_path: Path, *names: str) -> Path:
    """Pack a delivery in archives in one another, the innermost named first."""
    content: dict[str, bytes] = {"SRO_7/t_cable.csv": CABLE}
    for name in names:
        content = {f"zone/{name}": packed(tmp_path / name, content).read_bytes()}
    return tmp_path / names[-1]


def test_archives_in_an_archive_are_deliveries(tmp_path: Path, private_temporary_folder: Path) -> None:
    one = packed(tmp_path / "sro_1.zip", {"t_cable.csv": CABLE})
    plans = packed(tmp_path / "plans.zip", {"plan.pdf": b"x"})
    outer = packed(
        tmp_path / "zone.zip",
        {f"{i}/{one.name}": one.read_bytes() for i in (1, 2)} | {"plans.zip": plans.read_bytes()},
    )
    found = open_deliveries([outer])
    name = f"{tmp_path.name}/zone/sro_1"
    assert [delivery.name for delivery in found] == [name, f"{name}-2"]
    assert {delivery.tables["t_cable"]["cb_code"][0] for delivery in found} == {"CB1"}
    assert {delivery.path for delivery in found} == {outer}
    assert list(private_temporary_folder.iterdir()) == []


def test_archives_without_a_table_are_told(tmp_path: Path) -> None:
    plans = packed(tmp_path / "plans.zip", {"plan.pdf": b"x"})
    outer = packed(tmp_path / "zone.zip", {"plans.zip": plans.read_bytes()})
    with pytest.raises(SourceError, match=r"zone\.zip: no GraceTHD table"):
        open_delivery(outer)


def test_archives_too_deep_in_one_another_are_refused(tmp_path: Path) -> None:
    three = nested(tmp_path, "a.zip", "b.zip", "c.zip")
    assert open_delivery(three).tables["t_cable"]["cb_code"].tolist() == ["CB1"]
    where = "e.zip/zone/d.zip/zone/c.zip/zone/b.zip/zone/a.zip: more than 3"
    with pytest.raises(SourceError, match=re.escape(where)):
        open_delivery(nested(tmp_path, "a.zip", "b.zip", "c.zip", "d.zip", "e.zip"))


def test_archives_in_one_another_share_what_may_be_unpacked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = packed(tmp_path / "sro.zip", {"t_cable.csv": CABLE * 100})
    outer = packed(tmp_path / "zone.zip", {f"{i}/{i}.zip": one.read_bytes() for i in range(20)})
    assert len(open_deliveries([outer])) == 20
    monkeypatch.setattr(archives, "MAX_UNPACKED_BYTES", 20 * one.stat().st_size + 10 * 100 * len(CABLE))
    with pytest.raises(SourceError, match="once unpacked, more than"):
        open_deliveries([outer])


def test_an_error_names_the_file_in_its_archive(tmp_path: Path) -> None:
    inner = packed(tmp_path / "sro.zip", {"t_cable.csv": b"cb_code;cb_code\n"})
    outer = packed(tmp_path / "zone.zip", {"sro.zip": inner.read_bytes()})
    with pytest.raises(SourceError, match=r"zone\.zip/sro\.zip/t_cable\.csv: header"):
        open_delivery(outer)
