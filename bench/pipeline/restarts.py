"""What goes wrong during a soak: which process ends when, drawn from a seed, and how it comes back."""

from __future__ import annotations

import asyncio
import random
import signal
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, Literal, get_args

from bench.pipeline.stack import Rig
from leadwire.embedded import POSTGRES_PROGRAMS, package_file
from leadwire.unprivileged import demote

Kind = Literal["worker killed", "worker stopped", "database restarted", "broker killed"]
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)

LONGEST: Final = 2.0
"""The time between two restarts lies between the calm and so many times the calm."""


@dataclass(frozen=True, slots=True)
class Restart:
    """`at_s` after the load has begun."""

    at_s: float
    kind: Kind


@dataclass(frozen=True, slots=True)
class Restarted:
    """A restart as it went: how long until the process ran again."""

    at_s: float
    kind: Kind
    took_s: float


def planned(seconds: float, calm_s: float, kinds: Sequence[Kind], seed: int) -> list[Restart]:
    """Restarts at least `calm_s` apart, from the beginning and from the end too; every kind before any comes again."""
    draw = random.Random(seed)  # noqa: S311  # a plan, not a secret
    found: list[Restart] = []
    deck: list[Kind] = []
    at_s = draw.uniform(calm_s, LONGEST * calm_s)
    while at_s <= seconds - calm_s:
        deck = deck or draw.sample(list(kinds), len(kinds))
        found.append(Restart(round(at_s, 1), deck.pop()))
        at_s += draw.uniform(calm_s, LONGEST * calm_s)
    return found


def possible(rig: Rig) -> tuple[Kind, ...]:
    """Tansu keeps its records in memory: killed, it would lose them all."""
    return KINDS if rig.kafka is not None else KINDS[:-1]


@dataclass(slots=True)
class Disturbance:
    """Does what is planned, and notes it."""

    plan: Sequence[Restart]
    done: list[Restarted] = field(default_factory=list)

    async def run(self, rig: Rig) -> None:
        begun_s = time.monotonic()
        for restart in self.plan:
            await asyncio.sleep(max(0.0, begun_s + restart.at_s - time.monotonic()))
            at_s = time.monotonic()
            await _restart(rig, restart.kind)
            self.done.append(Restarted(round(at_s - begun_s, 1), restart.kind, round(time.monotonic() - at_s, 1)))


async def _restart(rig: Rig, kind: Kind) -> None:
    if kind == "database restarted":
        await _restart_database(rig)
    elif kind == "broker killed":
        await _restart_broker(rig)
    else:
        await _restart_worker(rig, signal.SIGKILL if kind == "worker killed" else signal.SIGTERM)


async def _restart_worker(rig: Rig, number: signal.Signals) -> None:
    if rig.worker is None:
        raise RuntimeError("there is no worker to restart; start one first")
    await asyncio.to_thread(rig.stack.children.stop, rig.worker, number=number, grace_s=30)
    await rig.start_worker()


async def _restart_database(rig: Rig) -> None:
    """SIGINT is PostgreSQL's fast shutdown; the same command brings it back on the same port."""
    child = next(child for child in rig.stack.children.running if child.name == "postgres")
    await asyncio.to_thread(rig.stack.children.stop, child, grace_s=60)
    words = child.process.args
    command = [words] if isinstance(words, str) else [str(word) for word in words]  # type: ignore[union-attr]  # Popen's type allows more than we give
    demotion = demote(package_file(*POSTGRES_PROGRAMS), rig.folder / "postgres")
    rig.stack.children.start("postgres", command, before_exec=demotion.before_exec)


async def _restart_broker(rig: Rig) -> None:
    if rig.kafka is None:
        raise RuntimeError("this broker keeps its records in memory; use --broker kafka")
    await asyncio.to_thread(rig.kafka.kill)
    await asyncio.to_thread(rig.kafka.start)
