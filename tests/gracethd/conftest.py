"""A PostgreSQL with PostGIS for these tests, where one can be had."""

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

NOBODY = 65534


@pytest.fixture(scope="session")
def postgis() -> Iterator[str]:
    """Give the address of an empty database with PostGIS: GRACETHD_POSTGIS, else a server of this session."""
    pytest.importorskip("psycopg", reason="psycopg absent: install the extra postgis")
    given = os.environ.get("GRACETHD_POSTGIS")
    if given:
        yield given
        return
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    extensions = list(Path("/usr/share/postgresql").glob("*/extension/postgis.control"))
    if not found or not extensions:
        pytest.skip(
            "PostGIS absent: apt-get install postgresql postgis, or set GRACETHD_POSTGIS to an address"
        )
    programs = found[-1].parent
    folder = Path(tempfile.mkdtemp(prefix="pg-", dir="/tmp"))  # socket paths are short
    as_user = []
    if os.geteuid() == 0:  # initdb refuses root
        os.chown(folder, NOBODY, NOBODY)
        as_user = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]

    def run(name: str, *arguments: str) -> None:
        command = [*as_user, "env", f"HOME={folder}", str(programs / name), *arguments]
        subprocess.run(command, check=True, cwd=folder, stdout=subprocess.DEVNULL)

    data = str(folder / "data")
    options = f"-p {port} -k {folder} -c listen_addresses=127.0.0.1 -c fsync=off -c full_page_writes=off"
    try:
        run("initdb", "-D", data, "-A", "trust", "-U", "tester", "-E", "UTF8", "--no-locale", "-N")
        run("pg_ctl", "-D", data, "-w", "-l", str(folder / "log"), "-o", options, "start")
        run("createdb", "-h", "127.0.0.1", "-p", str(port), "-U", "tester", "essai")
        yield f"postgresql://tester@127.0.0.1:{port}/essai"
    finally:
        if Path(data, "postmaster.pid").exists():
            run("pg_ctl", "-D", data, "-m", "immediate", "stop")
        shutil.rmtree(folder, ignore_errors=True)
