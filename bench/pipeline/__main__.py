"""The whole path under load on this machine: lost, doubled, late, and what it costs. One JSON object."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from pathlib import Path
from typing import Any

from bench.pipeline.report import report
from bench.pipeline.run import run
from bench.pipeline.stack import rig
from bench.pipeline.tables import run_table
from schemas.errors import LeadwireError


def main(arguments: list[str] | None = None) -> None:
    """Measure and print."""
    wanted = _parser().parse_args(arguments)
    try:
        told = measure(wanted)
    except LeadwireError as error:
        raise SystemExit(str(error)) from None
    text = json.dumps(told)
    if wanted.json:
        wanted.json.write_text(text + "\n")
    sys.stdout.write(text + "\n")
    if wanted.table or sys.stderr.isatty():
        sys.stderr.write(run_table(told) + "\n")


def measure(wanted: argparse.Namespace) -> dict[str, Any]:
    with rig(wanted.broker, wanted.folder) as stack:
        return report(asyncio.run(run(stack, wanted.devices, wanted.seconds)))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench.pipeline", description=__doc__)
    parser.add_argument("--devices", type=int, default=100)
    parser.add_argument("--seconds", type=int, default=30)
    parser.add_argument("--broker", choices=("tansu", "kafka"), default="tansu")
    parser.add_argument("--folder", type=Path, help="where the servers' data is made; a disk, not memory")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the JSON object there too")
    parser.add_argument("--table", action="store_true", help="tables on standard error, as on a terminal")
    return parser


if __name__ == "__main__":
    main()
