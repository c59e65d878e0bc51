"""A long run with restarts: nothing lost, nothing doubled, and the memory of each life of each process flat."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, Final

from bench.pipeline.flatness import MEMORY_GROWTH, MEMORY_JUDGED_S, MEMORY_WARM_UP_S, memory_verdict
from bench.pipeline.report import MEBI, latency_report, stored_lag, verdict_json
from bench.pipeline.restarts import Disturbance, planned, possible
from bench.pipeline.run import Measured, run
from bench.pipeline.sampler import memory_of
from bench.pipeline.stack import Rig

CALM_S: Final = 200.0
"""Between two restarts, so that every life is long enough to be judged."""


async def soak(rig: Rig, devices: int, seconds: int, seed: int, calm_s: float = CALM_S) -> dict[str, Any]:
    """The report of a run that the restarts drawn from `seed` disturb."""
    disturbance = Disturbance(planned(seconds, calm_s, possible(rig), seed))
    measured = await run(rig, devices, seconds, disturbance.run)
    lives = lives_report(measured)
    return {
        "devices": devices,
        "seconds": seconds,
        "seed": seed,
        "samples": measured.ledger.acknowledged,
        "lost": measured.ledger.lost,
        "duplicates": measured.ledger.duplicates,
        "restarts": [asdict(each) for each in disturbance.done],
        "latency": latency_report(measured),
        "lag": stored_lag(measured),
        "memory_rule": (
            f"flat: after {MEMORY_WARM_UP_S:g} s of each life the median of its last third is at most "
            f"{MEMORY_GROWTH:.0%} over that of its first; null when under {MEMORY_JUDGED_S:g} s are left"
        ),
        "lives": lives,
        "flat": not any(life["flat"] is False for life in lives),
        "load": {"latest_s": round(measured.load.latest_s, 3), "retries": measured.load.retries},
        "settings": dict(measured.settings),
    }


def lives_report(measured: Measured) -> list[dict[str, Any]]:
    """Memory of each process from its start, or the load's, to its end."""
    told = []
    for watched in dict.fromkeys(each.watched for each in measured.sampler.processes):
        held = memory_of(measured.sampler.processes, watched, measured.began_s, measured.ended_s)
        if held.at_s:
            told.append(
                {
                    "process": watched.name,
                    "pid": watched.pid,
                    "from_s": round(held.at_s[0] - measured.began_s, 1),
                    "to_s": round(held.at_s[-1] - measured.began_s, 1),
                    **verdict_json(memory_verdict(held), MEBI),
                }
            )
    return told


def passed(told: Mapping[str, Any]) -> bool:
    return not told["lost"] and not told["duplicates"] and bool(told["flat"])
