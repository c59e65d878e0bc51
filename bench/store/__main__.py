"""`make bench-store`: what the store takes in, how small it keeps it, how fast it gives it back; one JSON object."""

from __future__ import annotations

import argparse
import json
import logging
import os
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Final

import psutil
import uvloop

from bench.accuracy.pages import write
from bench.api.month import Month
from bench.store import formats, month, outages, sustained
from bench.store.corpus import DATABASES, MADE
from bench.store.formats import Wanted, say
from bench.store.servers import POSTGRES, TIMESCALE, running
from bench.store.tables import section
from schemas.errors import LeadwireError
from schemas.logs import configure
from schemas.settings import LogSettings

PAGE: Final = Path("docs/store-bench.md")
Part = Callable[[argparse.Namespace], Awaitable[Any]]


async def _formats(given: argparse.Namespace) -> Any:
    wanted = Wanted(
        corpora=tuple(given.data.split(",")),
        servers=tuple(given.server.split(",")),
        windows=given.windows,
        records=given.records,
        has_http=not given.no_http,
        has_peer=not given.no_peer,
    )
    return await formats.measure(wanted)


async def _sustained(given: argparse.Namespace) -> Any:
    return await sustained.measure(sustained.Wanted(tuple(given.server.split(",")), given.seconds, given.devices))


async def _outages(given: argparse.Namespace) -> Any:
    servers = tuple(given.server.split(","))
    return await outages.measure(outages.Wanted(servers, given.seconds, given.outage_devices, given.seed))


async def _month(given: argparse.Namespace) -> Any:
    """Of metrics, not of samples: what the aggregates are for."""
    with tempfile.TemporaryDirectory(prefix="leadwire-bench-") as name, running(TIMESCALE, Path(name)) as server:
        if server.is_npm:
            return {"skipped": "a month does not fit into the npm build; set LEADWIRE_TEST_TIMESCALE"}
        say(f"a month of metrics on {server.version}: it takes some minutes to make")
        return {"server": server.version, **await month.run(server.url, Month(5000, given.cadence), _QUESTIONS)}


PARTS: Final[dict[str, Part]] = {"formats": _formats, "sustained": _sustained, "outages": _outages, "month": _month}
_QUESTIONS: Final = 200


def main() -> None:
    """Measure what is wanted; the JSON object goes to standard output, progress and tables to standard error."""
    given = _parser().parse_args()
    configure(LogSettings.model_validate({"LOG_LEVEL": "WARNING"}), "bench-store")
    logging.getLogger("psycopg.pool").setLevel(logging.CRITICAL)  # a line for every try while a server is away
    started_s = time.monotonic()
    try:
        found = uvloop.run(_measure(given))
    except (LeadwireError, FileNotFoundError) as error:
        sys.exit(f"bench-store: {error}")
    told = {**_about(), "seconds": round(time.monotonic() - started_s, 1), **found}
    text = json.dumps(told)
    print(text)
    if given.json:
        given.json.write_text(text + "\n", "utf-8")
    for each in section(told):
        print(each.as_text(), file=sys.stderr)
        if given.write:
            write(each, PAGE)


async def _measure(given: argparse.Namespace) -> dict[str, Any]:
    return {name: await PARTS[name](given) for name in given.part.split(",")}


def _about() -> dict[str, Any]:
    """What the figures belong to; the load before us tells how quiet the machine was."""
    return {
        "on": time.strftime("%Y-%m-%d"),
        "cores": psutil.cpu_count(),
        "load_before": round(os.getloadavg()[0], 2),
        "python": sys.version.split()[0],
    }


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench.store", description=__doc__)
    parser.add_argument("--part", default="formats", help=f"one or more of {', '.join(PARTS)}, with commas")
    parser.add_argument("--data", default=",".join(DATABASES), help=f"databases, with commas, or {MADE}")
    parser.add_argument("--server", default=f"{POSTGRES},{TIMESCALE}", help="which, with commas")
    parser.add_argument("--windows", type=int, default=2000)
    parser.add_argument("--records", type=int, default=None, help="only the first so many of each database")
    parser.add_argument("--seconds", type=int, default=600, help="of the parts that load it for a while")
    parser.add_argument("--devices", type=int, default=5000, help="of the sustained load")
    parser.add_argument("--outage-devices", type=int, default=20, help="that write while servers go away")
    parser.add_argument("--seed", type=int, default=1, help="of the moments at which the archive is killed")
    parser.add_argument("--cadence", type=int, default=600, help="of the month: seconds from one row to the next")
    parser.add_argument("--no-http", action="store_true")
    parser.add_argument("--no-peer", action="store_true", help="without AtriumDB beside us")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the JSON object there too")
    parser.add_argument("--write", action="store_true", help=f"the tables into {PAGE}")
    return parser


if __name__ == "__main__":
    main()
