"""What an engine says of a record when the record is streamed to it."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.accuracy.records import DEVICE, Record, blocks
from processors.ecg.engines import EngineName, engine


@dataclass(frozen=True, slots=True)
class Answers:
    """The engine's rows of beats, metrics and episodes (schemas.results), and the CPU time it took for them."""

    beats: NDArray[Any]
    engine_version: str
    cpu_s: float
    metrics: NDArray[Any]
    episodes: NDArray[Any]


def answers(record: Record, name: EngineName = "fast", block_s: float = 1.0) -> Answers:
    """The whole record, streamed in blocks; nothing is left out at the start."""
    chosen = engine(name)
    state = chosen.new_state()
    found = []
    cpu_s = 0.0
    for block in blocks(record, block_s):
        before = time.process_time()
        step = chosen.step([block], state)
        cpu_s += time.process_time() - before
        state = step.state
        found.append(step.results)
    found.append(chosen.close([DEVICE], state).results)
    beats, metrics, episodes = (
        np.concatenate([getattr(results, rows) for results in found]) for rows in ("beats", "metrics", "episodes")
    )
    return Answers(beats, chosen.version, cpu_s, metrics, episodes)
