"""The whole path under load on this machine: lost, doubled, late, and what it costs. One JSON object."""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import shlex
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from bench.pipeline.contest import contest, contestants
from bench.pipeline.limit import find_limit, highest_held
from bench.pipeline.report import report
from bench.pipeline.run import run
from bench.pipeline.soak import CALM_S, passed, soak
from bench.pipeline.stack import OURS, Program, ours, rig
from bench.pipeline.tables import limit_table, peers_table, run_table, soak_table
from schemas.errors import LeadwireError
from tests.servers.availability import Unavailable


def main(arguments: list[str] | None = None) -> None:
    """Measure and print."""
    wanted = _parser().parse_args(arguments)
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # a line for every try while the broker restarts
    try:
        told = _MODES[wanted.mode](wanted)
    except (LeadwireError, Unavailable) as error:
        raise SystemExit(str(error)) from None
    text = json.dumps(told)
    if wanted.json:
        wanted.json.write_text(text + "\n")
    sys.stdout.write(text + "\n")
    if wanted.table or sys.stderr.isatty():
        sys.stderr.write(_TABLES[wanted.mode](told) + "\n")
    if wanted.mode == "soak" and not passed(told):
        raise SystemExit(1)


def measure(wanted: argparse.Namespace) -> dict[str, Any]:
    """One run."""
    program = Program(tuple(shlex.split(wanted.worker)), OURS.started) if wanted.worker else ours(wanted.processes)
    with rig(wanted.broker, wanted.folder, program) as stack:
        return report(asyncio.run(run(stack, wanted.devices, wanted.seconds)))


def limits(wanted: argparse.Namespace) -> dict[str, Any]:
    """Runs of --seconds with more and more devices."""

    def one(devices: int) -> dict[str, Any]:
        sys.stderr.write(f"{devices} devices for {wanted.seconds} s ...\n")
        return measure(argparse.Namespace(**{**vars(wanted), "devices": devices}))

    steps = find_limit(one, wanted.devices, wanted.step, wanted.p99)
    held = highest_held(steps)
    return {
        "held_devices": held,
        "held_samples_per_s": held * steps[0].report["rate_hz"],
        "rule": f"nothing lost, p99 <= {wanted.p99:g} s in the second half of {wanted.seconds} s, stored lag flat",
        "steps": [{"devices": each.devices, "why_not": each.why_not, **each.report} for each in steps],
    }


def soaked(wanted: argparse.Namespace) -> dict[str, Any]:
    """A run with restarts."""
    with rig(wanted.broker, wanted.folder) as stack:
        return asyncio.run(soak(stack, wanted.devices, wanted.seconds, wanted.seed, wanted.calm))


def compared(wanted: argparse.Namespace) -> dict[str, Any]:
    """Ours, Quix Streams and the naive design, one after the other."""
    each = contestants(wanted.devices, wanted.naive_devices)
    return contest(wanted.broker, wanted.folder, each, wanted.seconds)


_MODES: dict[str, Callable[[argparse.Namespace], dict[str, Any]]] = {
    "run": measure,
    "limit": limits,
    "soak": soaked,
    "peers": compared,
}
_TABLES: dict[str, Callable[[Mapping[str, Any]], str]] = {
    "run": run_table,
    "limit": limit_table,
    "soak": soak_table,
    "peers": peers_table,
}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench.pipeline", description=__doc__)
    parser.add_argument("--devices", type=int, default=100, help="with --find-limit those of the first step")
    parser.add_argument("--seconds", type=int, default=30, help="of each run")
    parser.add_argument("--broker", choices=("tansu", "kafka"), default="tansu")
    parser.add_argument("--folder", type=Path, help="where the servers' data is made; a disk, not memory")
    parser.add_argument(
        "--worker", metavar="COMMAND", help="in place of `leadwire worker`, such as one under a profiler"
    )
    parser.add_argument("--processes", type=int, default=1, help="of our worker, which share the partitions")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the JSON object there too")
    parser.add_argument("--table", action="store_true", help="tables on standard error, as on a terminal")
    parser.add_argument(
        "--find-limit", dest="mode", action="store_const", const="limit", default="run", help="many runs"
    )
    parser.add_argument("--step", type=int, default=2500, help="of --find-limit: devices more, each time")
    parser.add_argument("--p99", type=float, default=2.0, help="of --find-limit: seconds that p99 may take")
    parser.add_argument("--soak", dest="mode", action="store_const", const="soak", help="one run, with restarts")
    parser.add_argument("--seed", type=int, default=1, help="of --soak: what restarts when")
    parser.add_argument("--calm", type=float, default=CALM_S, help="of --soak: seconds between restarts, at least")
    parser.add_argument("--peers", dest="mode", action="store_const", const="peers", help="ours beside two others")
    parser.add_argument("--naive-devices", type=int, default=40, help="of --peers: what the naive design is given")
    return parser


if __name__ == "__main__":
    main()
