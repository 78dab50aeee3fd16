"""Time the generic controls by our check beside the same controls as SQL on a PostGIS, loading included.

    python benchmarks/check_sql.py [PRISES...]

Not empty, unique, foreign key, type, length and list, of every attribute of the model, on synthetic
deliveries of version 2 with wrong cells in every column (7,000, 20,000 and 70,000 prises). The other side is
what a careful user of SQL does: layers are loaded by ogr2ogr (one call a delivery), CSV by COPY, as text;
keys are indexed; one statement counts the empty cells, types, lengths and lists of a whole table. Both must
count the same faults, rule by rule and attribute by attribute, else it stops.

Seconds are those of the processor. For SQL: of ogr2ogr, of this process while it loads, and of the server
from its start to its end, less those of a server that does nothing. Target of issue B: 10 times.
"""

import contextlib
import csv
import os
import resource
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pandas as pd
import psycopg
from psycopg import sql

from gracethd.check.batches import batches
from gracethd.check.columns import check_columns, check_filling
from gracethd.check.keys import check_foreign_keys, check_primary_keys
from gracethd.check.model import list_codes, mandatory_columns, table_model
from gracethd.check.places import SUPPORTS
from gracethd.check.rules import PRIMARY_KEYS
from gracethd.deliveries import open_deliveries
from gracethd.synth import random_area, synthesise, write_synth

SIZES = (7_000, 20_000, 70_000)
TARGET = 10.0
NOBODY = 65534
RULES = (
    "cle_vide", "cle_double", "cle_etrangere", "obligatoire_vide", "type_nombre", "type_date", "type_booleen",
    "longueur", "hors_liste",
)  # fmt: skip
NUMBER = r"^[+-]?([0-9]+([.,][0-9]*)?|[.,][0-9]+)([eE][+-]?[0-9]{1,3})?$"
DATE = r"^([0-9]{4}[-/][0-9]{1,2}[-/][0-9]{1,2}|[0-9]{1,2}/[0-9]{1,2}/[0-9]{4})([ T].*)?$"
BOOLEANS = ("t", "1", "o", "true", "oui", "vrai", "f", "0", "n", "false", "non", "faux")

OGR = (
    "-append", "-nlt", "PROMOTE_TO_MULTI", "-lco", "SPATIAL_INDEX=NONE", "-lco", "GEOMETRY_NAME=geom",
    "-oo", "ENCODING=UTF-8", "--config", "PG_USE_COPY", "YES",
)  # fmt: skip

Counts = dict[tuple[str, str, str], int]
"""Faults by rule, table and attribute."""


def run(command: Sequence[str | Path], *, cwd: Path | None = None) -> None:
    """Run a program to its end; its words are of no interest."""
    subprocess.run(command, check=True, cwd=cwd, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def processor() -> float:
    """Give the seconds of this process and of those that it has waited for."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def make(prises: int, folder: Path) -> list[Path]:
    """Write deliveries of a size, unpacked, with a few wrong cells in every column of their CSV tables."""
    write_synth(synthesise(random_area(prises, seed=1, version="2.0.1"), seed=1), folder / "zips")
    made = []
    for archive in sorted((folder / "zips" / "livraisons").glob("*.zip")):
        target = folder / "livraisons" / archive.stem
        with zipfile.ZipFile(archive) as packed:
            packed.extractall(target)
        for path in sorted(target.rglob("*.csv")):
            spoil(path)
        made.append(target)
    return made


def spoil(path: Path) -> None:
    """Put a sign, nothing, and a text that is too long into each column, and one key twice."""
    rows = list(csv.reader(path.open(encoding="utf-8", newline=""), delimiter=";"))
    header, body = rows[0], rows[1:]
    if len(body) < 50:
        return
    for column in range(len(header)):
        body[(13 * column + 1) % len(body)][column] = "@"
        body[(17 * column + 5) % len(body)][column] = ""
        body[(19 * column + 9) % len(body)][column] = "x" * 300
    body[-1][0] = body[-2][0]
    with path.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream, delimiter=";", lineterminator="\n").writerows([header, *body])


def ours(folders: list[Path]) -> Counts:
    """Read the deliveries and apply the rules on columns and keys."""
    deliveries = open_deliveries(folders)
    found = []
    for batch in batches(deliveries):
        found += [*check_columns(batch), *check_filling(batch), *check_primary_keys(batch)]
    found += [findings for _, findings in check_foreign_keys(deliveries)]
    every = pd.concat([one for one in found if len(one)])
    every["rule"] = every["rule"].replace("cle_etrangere_annexe", "cle_etrangere")
    counts = every[every["rule"].isin(RULES)].groupby(["rule", "table", "attribute"]).size()
    return {tuple(map(str, key)): int(n) for key, n in counts.items()}  # type: ignore[misc,arg-type]


@contextlib.contextmanager
def server() -> Iterator[str]:
    """Run a PostGIS of this benchmark's own, as a child, so that its seconds are counted when it ends."""
    programs = max(Path("/usr/lib/postgresql").glob("*/bin/initdb")).parent
    folder = Path(tempfile.mkdtemp(prefix="pg-", dir="/tmp"))  # socket paths are short
    as_user = []
    if os.geteuid() == 0:  # postgres refuses root
        os.chown(folder, NOBODY, NOBODY)
        as_user = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    data = folder / "data"
    as_user += ["env", f"HOME={folder}"]
    options = ["-D", data, "-A", "trust", "-U", "tester", "-E", "UTF8", "--no-locale", "-N"]
    run([*as_user, programs / "initdb", *options], cwd=folder)
    quick = (
        "fsync=off", "full_page_writes=off", "synchronous_commit=off", "shared_buffers=1GB",
        "work_mem=256MB", "maintenance_work_mem=512MB", "max_wal_size=8GB", "autovacuum=off",
    )  # fmt: skip
    settings = [word for one in (*quick, "listen_addresses=127.0.0.1") for word in ("-c", one)]
    command = [*as_user, programs / "postgres", "-D", data, "-p", str(port), "-k", folder, *settings]
    address = f"postgresql://tester@127.0.0.1:{port}/postgres"
    with subprocess.Popen(command, cwd=folder, stderr=subprocess.DEVNULL) as process:
        try:
            wait_for(address)
            yield address
        finally:
            process.terminate()
            process.wait()
            shutil.rmtree(folder, ignore_errors=True)


def wait_for(address: str) -> None:
    """Wait until the server answers, a minute at most."""
    for _ in range(120):
        with contextlib.suppress(psycopg.OperationalError):
            psycopg.connect(address).close()
            return
        time.sleep(0.5)
    raise SystemExit("the PostgreSQL server of this benchmark does not start")


def load(folders: list[Path], address: str) -> None:
    """Load every delivery into one table each of the model: layers by ogr2ogr, CSV by COPY."""
    with psycopg.connect(address, autocommit=True) as base:
        base.execute("CREATE EXTENSION postgis")
        for folder in folders:
            shapes = sorted({path.parent for path in folder.rglob("*.shp")})
            for place in shapes:
                run(["ogr2ogr", "-f", "PostgreSQL", f"PG:{address}", place, *OGR])
            for path in sorted(folder.rglob("*.csv")):
                copy_csv(base, path, folder.name)
            name_delivery(base, folder.name)


def copy_csv(base: psycopg.Connection, path: Path, delivery: str) -> None:
    """Append a CSV to the table of its name, columns as text."""
    with path.open(encoding="utf-8") as stream:
        columns = sql.SQL(", ").join(map(sql.Identifier, stream.readline().strip().lower().split(";")))
        texts = sql.SQL(", ").join(sql.SQL("{} text").format(sql.Identifier(one)) for one in columns_of(path))
        table = sql.Identifier(path.stem.lower())
        base.execute(sql.SQL("CREATE TABLE IF NOT EXISTS {} ({}, delivery text)").format(table, texts))
        base.execute(
            sql.SQL("ALTER TABLE {} ALTER delivery SET DEFAULT {}").format(table, sql.Literal(delivery))
        )
        order = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT csv, DELIMITER ';', NULL '')").format(table, columns)
        with base.cursor().copy(order) as copy:
            while block := stream.read(1 << 20):
                copy.write(block)


def columns_of(path: Path) -> list[str]:
    """Give the names in the header of a CSV."""
    with path.open(encoding="utf-8") as stream:
        return stream.readline().strip().lower().split(";")


def name_delivery(base: psycopg.Connection, delivery: str) -> None:
    """Write the delivery of the rows that ogr2ogr has just appended."""
    layers = base.execute("SELECT f_table_name FROM geometry_columns").fetchall()
    for (name,) in layers:
        table = sql.Identifier(name)
        base.execute(sql.SQL("ALTER TABLE {} ADD COLUMN IF NOT EXISTS delivery text").format(table))
        base.execute(
            sql.SQL("UPDATE {} SET delivery = {} WHERE delivery IS NULL").format(table, sql.Literal(delivery))
        )


def theirs(folders: list[Path], address: str) -> Counts:
    """Load the deliveries and count their faults in SQL."""
    load(folders, address)
    counts: Counts = {}
    with psycopg.connect(address, autocommit=True) as base:
        known = "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'public'"
        columns: dict[str, list[str]] = {}
        for table, name in base.execute(known):
            columns.setdefault(table, []).append(name)
        columns = {table: names for table, names in columns.items() if table in PRIMARY_KEYS}
        for table in columns:
            for key in PRIMARY_KEYS[table]:
                order = sql.SQL("CREATE INDEX ON {} ({})")
                base.execute(order.format(sql.Identifier(table), sql.Identifier(key)))
            base.execute(sql.SQL("ANALYZE {}").format(sql.Identifier(table)))
        for table, names in columns.items():
            counts |= by_columns(base, table, names)
            counts |= by_keys(base, table, names, columns)
    return {key: n for key, n in counts.items() if n}


def by_columns(base: psycopg.Connection, table: str, names: list[str]) -> Counts:
    """Count empty attributes, types, lengths and lists: one pass over the table."""
    told: dict[tuple[str, str, str], sql.Composable] = {}
    own = (*PRIMARY_KEYS[table], *SUPPORTS["t_baie"])
    for rule in table_model(table, "2").to_dict("records"):
        name, kind, length = rule["attribute"], rule["type"], rule["length"]
        if name not in names:
            continue
        text = sql.SQL("{}::text").format(sql.Identifier(name))
        if name in mandatory_columns(table, "2") and name not in own:
            told["obligatoire_vide", table, name] = sql.SQL("{} IS NULL").format(text)
        if kind in ("INTEGER", "BIGINT", "NUMERIC"):
            told["type_nombre", table, name] = sql.SQL("{} !~ {}").format(text, sql.Literal(NUMBER))
        elif kind in ("DATE", "TIMESTAMP"):
            told["type_date", table, name] = sql.SQL("{} !~ {}").format(text, sql.Literal(DATE))
        elif kind == "BOOLEAN":
            # ? is what a .dbf holds where nothing was told; the GDAL of some systems loads it as it is
            told["type_booleen", table, name] = sql.SQL("lower(nullif({}, '?')) NOT IN ({})").format(
                text, sql.SQL(", ").join(map(sql.Literal, BOOLEANS))
            )
        elif kind == "VARCHAR" and length:
            told["longueur", table, name] = sql.SQL("length({}) > {}").format(text, sql.Literal(int(length)))
        codes = sorted(list_codes(rule["value_list"], "2")) if rule["value_list"] else []
        if codes:
            listed = sql.SQL(", ").join(map(sql.Literal, codes))
            told["hors_liste", table, name] = sql.SQL("{} NOT IN ({})").format(text, listed)
    if not told:
        return {}
    sums = sql.SQL(", ").join(sql.SQL("count(*) FILTER (WHERE {})").format(one) for one in told.values())
    row = base.execute(sql.SQL("SELECT {} FROM {}").format(sums, sql.Identifier(table))).fetchone()
    return dict(zip(told, row or (), strict=True))


def by_keys(base: psycopg.Connection, table: str, names: list[str], columns: dict[str, list[str]]) -> Counts:
    """Count empty and repeated keys, and codes that no row has."""
    keys = PRIMARY_KEYS[table]
    listed = sql.SQL(", ").join(map(sql.Identifier, keys))
    none = sql.SQL(" OR ").join(sql.SQL("{} IS NULL").format(sql.Identifier(key)) for key in keys)
    orders = {
        ("cle_vide", table, keys[0]): sql.SQL("SELECT count(*) FROM {} WHERE {}").format(
            sql.Identifier(table), none
        ),
        ("cle_double", table, keys[0]): sql.SQL(
            "SELECT coalesce(sum(n - 1), 0)::bigint FROM "
            "(SELECT count(*) AS n FROM {} WHERE NOT ({}) GROUP BY delivery, {}) AS one"
        ).format(sql.Identifier(table), none, listed),
    }
    for name, reference in table_model(table, "2")["foreign_key"].items():
        target, _, key = reference.partition(".")
        if name in names and key in columns.get(target, ()):
            orders["cle_etrangere", table, str(name)] = sql.SQL(
                "SELECT count(*) FROM {0} AS one WHERE one.{1} IS NOT NULL AND NOT EXISTS "
                "(SELECT FROM {2} AS other WHERE other.{3} = one.{1})"
            ).format(*map(sql.Identifier, (table, str(name), target, key)))
    counts = {}
    for what, order in orders.items():
        row = base.execute(order).fetchone()
        counts[what] = int(row[0]) if row else 0
    return counts


def measure(call: Callable[[], Counts]) -> tuple[Counts, float]:
    """Give what a call counts and its seconds of processor."""
    begin = processor()
    return call(), processor() - begin


def on_a_server(folders: list[Path]) -> Counts:
    """Start a server, load and count, and end it."""
    with server() as address:
        return theirs(folders, address)


def main(arguments: list[str]) -> None:
    """Print both sides size by size."""
    idle = measure(lambda: on_a_server([]))[1]
    for prises in sorted(int(one) for one in arguments) or SIZES:
        with tempfile.TemporaryDirectory() as scratch:
            folders = make(prises, Path(scratch))
            here, our_s = measure(lambda folders=folders: ours(folders))  # type: ignore[misc]
            there, their_s = measure(lambda folders=folders: on_a_server(folders))  # type: ignore[misc]
        if here != there:
            apart = sorted(set(here.items()) ^ set(there.items()))
            raise SystemExit(f"the two sides disagree: {apart[:20]}")
        ratio = (their_s - idle) / our_s
        print(
            f"{prises:,} prises, {len(folders)} deliveries, {sum(here.values()):,} faults "
            f"of {len(here)} controls: "
            f"ours {our_s:.1f} s, SQL {their_s - idle:.1f} s, {ratio:.1f} times "
            f"(target {TARGET:g}: {'met' if ratio >= TARGET else 'NOT met'})",
            flush=True,
        )


if __name__ == "__main__":
    main(sys.argv[1:])
