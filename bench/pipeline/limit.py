"""The highest rate that is held: more and more devices, each step on a fresh stack, until one is not."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

Run = Callable[[int], Mapping[str, Any]]
"""Measures so many devices; the report of the run."""

FINEST: Final = 0.1
"""The search ends when held and not held are within this share of each other."""


@dataclass(frozen=True, slots=True)
class Step:
    """A number of devices, and why it was not held ("" when it was)."""

    devices: int
    why_not: str
    report: Mapping[str, Any]


def why_not_held(report: Mapping[str, Any], p99_s: float) -> str:
    """What a run broke of: nothing lost, p99 within `p99_s` in the second half of the run, lag flat."""
    if report["lost"]:
        return f"{report['lost']} samples not stored in time"
    for name in ("metrics", "beats"):
        parts: Sequence[Mapping[str, Any]] = report["latency"][name]["parts"]
        worst = max((part["p99_s"] or 0.0 for part in parts[len(parts) // 2 :]), default=0.0)
        if worst > p99_s:
            return f"p99 of {name} {worst:g} s"
    if report["lag"]["stored"]["flat"] is False:
        return f"lag grows by {report['lag']['stored']['slope']:g} s each second"
    return ""


def find_limit(run: Run, first: int, step: int, p99_s: float) -> list[Step]:
    """Steps of `step` from `first` up until one is not held, then halves between it and the last that was."""
    steps: list[Step] = []
    held, devices = 0, first
    broken: int | None = None
    while True:
        report = run(devices)
        steps.append(Step(devices, why_not_held(report, p99_s), report))
        if steps[-1].why_not:
            broken = devices
        else:
            held = devices
        if broken is None:
            devices += step
        elif broken - held <= max(1, FINEST * broken):
            return steps
        else:
            devices = (held + broken) // 2


def highest_held(steps: Sequence[Step]) -> int:
    return max((step.devices for step in steps if not step.why_not), default=0)
