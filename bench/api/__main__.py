"""`make bench-api`: both applications over a month of 5,000 users, beside plain handlers; one JSON object."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import psutil

from bench.accuracy.pages import Section, write
from bench.api import parts
from bench.api.month import Month
from bench.api.parts import Wanted
from bench.api.place import LOAD_CORE, SERVER_CORE, Place, hold_load, place
from bench.api.tables import parts as tables_of

PAGE: Final = Path("docs/api-bench.md")
PARTS: Final[dict[str, Callable[[Place, Wanted], Awaitable[dict[str, Any]]]]] = {
    "lists": parts.measure_lists,
    "logins": parts.measure_logins,
    "mixed": parts.measure_mixed,
    "abuse": parts.measure_abuse,
}


def main() -> None:
    """Measure what is wanted; the JSON object goes to standard output, tables to standard error."""
    given = _parser().parse_args()
    month = Month(given.users, given.cadence)
    wanted = Wanted(month, not given.no_peer, given.logins, given.seconds, given.abuse_seconds, given.only)
    names = list(PARTS) if given.part == "all" else given.part.split(",")
    with place(given.folder.resolve(), month) as here:
        told = asyncio.run(_measure(here, wanted, names))
    text = json.dumps(told)
    print(text)
    if given.json:
        given.json.write_text(text + "\n", "utf-8")
    section = Section("api", f"`make bench-api CADENCE={given.cadence} WRITE=1`", tuple(tables_of(told)))
    print(section.as_text(), file=sys.stderr)
    if given.write:
        write(section, PAGE)


async def _measure(here: Place, wanted: Wanted, names: list[str]) -> dict[str, Any]:
    hold_load()
    told: dict[str, Any] = {
        "month": {**asdict(wanted.month), **asdict(here.made)},
        "cores": {"all": psutil.cpu_count(), "server": SERVER_CORE, "load": LOAD_CORE},
        "python": sys.version.split()[0],
    }
    for name in names:
        told[name] = await PARTS[name](here, wanted)
    return told


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench.api", description=__doc__)
    parser.add_argument("--users", type=int, default=5000, help="registered users, each with a device")
    parser.add_argument("--cadence", type=int, default=3600, help="seconds from one row of metrics to the next")
    parser.add_argument("--part", default="all", help=f"one or more of {', '.join(PARTS)}, with commas")
    parser.add_argument("--only", default="", help="of the lists: those whose name holds this")
    parser.add_argument("--logins", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=60, help="of the mixed load")
    parser.add_argument("--abuse-seconds", type=float, default=30)
    parser.add_argument("--no-peer", action="store_true", help="without the plain handlers beside ours")
    parser.add_argument("--folder", type=Path, default=Path(".cache/bench-api"), help="where the month is kept")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the JSON object there too")
    parser.add_argument("--write", action="store_true", help=f"the tables into {PAGE}")
    return parser


if __name__ == "__main__":
    main()
