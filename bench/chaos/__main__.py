"""`make chaos`: every fault on every stack, each device's books beside the store; exit code 1 if they differ."""

from __future__ import annotations

import argparse
import asyncio
import fcntl
import json
import logging
import sys
import tempfile
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Final

import numpy as np

from bench.accuracy.pages import Part, Section, write
from bench.chaos.fleet import LEADS, RATE_HZ, Fleet
from bench.chaos.outcomes import Outcome, joined, rows, rows_of, table
from bench.chaos.runs import DRAIN_S, SETTLE_S, Results, disturbed, undisturbed
from bench.chaos.scenarios import SCENARIOS, Scenario, chosen
from bench.chaos.stands import STACKS, StackName
from ingest.simulation.strips import make_bank
from schemas.clock import now_us

PAGE: Final = Path("docs/reliability.md")

_OVERHEAD_S: Final = 300.0
"""Starting, comparing and stopping a stack, with room."""


async def run(
    stacks: Sequence[StackName],
    scenarios: Sequence[Scenario],
    fleet: Fleet,
    folder: Path,
    tell: Callable[[Outcome], None],
) -> list[Outcome]:
    """All outcomes, one after the other, each told at once."""
    _say(f"{fleet.count} devices, {fleet.seconds} s each; the undisturbed run ...")
    async with asyncio.timeout(fleet.seconds + SETTLE_S + _OVERHEAD_S):
        calm = await undisturbed(fleet, folder / "undisturbed")
    outcomes = []
    for stack in stacks:
        for number, scenario in enumerate(scenarios):
            outcomes.append(await _outcome(scenario, stack, fleet, calm, folder / f"{stack}-{number}"))
            _say(_line(outcomes[-1]))
            tell(outcomes[-1])
    return outcomes


async def _outcome(scenario: Scenario, stack: StackName, fleet: Fleet, calm: Results, folder: Path) -> Outcome:
    if missing := scenario.missing(stack):
        return Outcome(scenario.name, stack, told=missing)
    try:
        async with asyncio.timeout(fleet.seconds + DRAIN_S + SETTLE_S + _OVERHEAD_S):
            return await disturbed(scenario, stack, fleet, calm, folder)
    except Exception as error:  # noqa: BLE001  # the outermost loop: one broken scenario must not hide the others
        told = f"broken: {type(error).__name__}: {error}; see {folder / 'logs'}"
        return Outcome(scenario.name, stack, told=told, broken=(told,))


def _line(outcome: Outcome) -> str:
    balance = outcome.balance
    differing = ", ".join(f"{each.differing} of {each.compared} {name}" for name, each in outcome.tables.items())
    figures = (
        f"{balance.acknowledged} acknowledged, {balance.lost} lost, {balance.doubled} doubled; differing: {differing}"
    )
    told = [outcome.told or figures, *outcome.broken[: 0 if outcome.told else None]]
    examples = [f"\n    {example}" for each in outcome.tables.values() for example in each.examples]
    verdict = "good" if outcome.is_good else "BAD "
    return f"{verdict} {outcome.stack}: {outcome.scenario}: {'; '.join(told)}{''.join(examples)}"


def make_fleet(count: int, seconds: int) -> Fleet:
    """The fleet of now: strips of every rhythm the simulator has, the same each time."""
    bank = make_bank(rate_hz=float(RATE_HZ), leads=LEADS)
    strips = [strip.samples.astype(np.int16) for group in zip(*bank.values(), strict=True) for strip in group]
    return Fleet(strips, count, seconds, now_us())


def write_page(outcome: Outcome, fleet: Fleet) -> None:
    """Put its row into the page; those of other scenarios and stacks stay if their runs were as large and as long."""
    with PAGE.open("rb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # the other stack's run may write at this moment
        _write_page(outcome, fleet)


def _write_page(outcome: Outcome, fleet: Fleet) -> None:
    title = f"{fleet.count} devices, {len(LEADS)} leads at {RATE_HZ} Hz, {fleet.seconds} s a scenario"
    page = PAGE.read_text("utf-8")
    known = rows_of(page) if title in page else []
    told = rows([replace(outcome, told=outcome.told.split("; see /")[0])])
    every = joined(known, told, [scenario.name for scenario in SCENARIOS])
    command = f"make chaos DEVICES={fleet.count} SECONDS={fleet.seconds} WRITE=1"
    write(Section("chaos", f"`{command}`", (Part(title, table(every)),)), PAGE)


def _nobody(_: Outcome) -> None:
    """Nothing is to be written."""


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def main() -> None:
    """Run, print the table or JSON, write it into the page if asked; exit with 1 if any figure is not 0."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--stack", choices=[*STACKS, "all"], default="all")
    arguments.add_argument("--scenario", default="all", help="how its name begins, or a part of it")
    arguments.add_argument("--seconds", type=int, default=180)
    arguments.add_argument("--devices", type=int, default=50)
    arguments.add_argument("--json", action="store_true")
    arguments.add_argument("--write", action="store_true", help=f"into {PAGE}")
    arguments.add_argument("--keep", type=Path, help="a folder for logs and data, kept afterwards")
    wanted = arguments.parse_args()
    for name in ("aiokafka", "psycopg.pool"):  # servers are away on purpose here
        logging.getLogger(name).setLevel(logging.CRITICAL)
    stacks = STACKS if wanted.stack == "all" else (wanted.stack,)
    fleet = make_fleet(wanted.devices, wanted.seconds)
    place = nullcontext(str(wanted.keep)) if wanted.keep else tempfile.TemporaryDirectory(prefix="leadwire-chaos-")
    tell = partial(write_page, fleet=fleet) if wanted.write else _nobody
    with place as folder:
        outcomes = asyncio.run(run(stacks, chosen(wanted.scenario), fleet, Path(folder).resolve(), tell))
    print(json.dumps([outcome.as_json() for outcome in outcomes]) if wanted.json else table(rows(outcomes)))
    sys.exit(not all(outcome.is_good for outcome in outcomes))


if __name__ == "__main__":
    main()
