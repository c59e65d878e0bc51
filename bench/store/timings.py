"""How long something took, by the wall and by the processors, and how quantiles are told."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

import numpy as np

Cpu = Callable[[], float]
"""Seconds of CPU that something has used so far."""

_DIGITS: Final = 3


@dataclass(slots=True)
class Spent:
    """Seconds by the wall, of this process's CPU and of the server's."""

    wall_s: float = 0.0
    client_cpu_s: float = 0.0
    server_cpu_s: float = 0.0

    def told(self) -> dict[str, float]:
        return {
            "wall_s": round(self.wall_s, _DIGITS),
            "client_cpu_s": round(self.client_cpu_s, _DIGITS),
            "server_cpu_s": round(self.server_cpu_s, _DIGITS),
        }


@contextmanager
def spending(server_cpu: Cpu = lambda: 0.0, into: Spent | None = None) -> Iterator[Spent]:
    """What the block spends, told when it ends: added to `into`, where that is given."""
    spent = into or Spent()
    server_s, client_s, wall_s = server_cpu(), time.process_time(), time.perf_counter()
    yield spent
    spent.wall_s += time.perf_counter() - wall_s
    spent.client_cpu_s += time.process_time() - client_s
    spent.server_cpu_s += server_cpu() - server_s


def quantiles_ms(taken_s: Sequence[float]) -> dict[str, float]:
    """p50 and p99 of durations in seconds, as milliseconds, and how many there were."""
    p50, p99 = np.percentile(np.array(taken_s) * 1000, [50, 99])
    return {"count": len(taken_s), "p50_ms": round(float(p50), _DIGITS), "p99_ms": round(float(p99), _DIGITS)}


def millions_a_second(samples: int, seconds: float) -> float:
    return round(samples / 1e6 / max(seconds, 1e-9), 2)
