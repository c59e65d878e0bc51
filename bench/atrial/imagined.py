"""Hearts made up for what the databases have little of: uneven rhythms that are no fibrillation."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from bench.accuracy.histories import History
from bench.atrial.corpus import Told

HEARTS: Final = 400
BEATS: Final = 260
RATE_HZ: Final = 250.0
Intervals = NDArray[np.float64]


def imagined(seed: int) -> list[Told]:
    """As many breathing, bigeminal, extrasystolic and blocked hearts (two kinds of block)."""
    rng = np.random.default_rng(seed)
    kinds = (_breathing, _repeating, _premature, _wenckebach, _skipping)
    return [_told(n, rng, kinds[n % len(kinds)](rng)) for n in range(HEARTS)]


def _steady(rng: np.random.Generator) -> Intervals:
    """Seconds, drifting slowly."""
    drift = np.cumsum(rng.normal(0, 0.002, BEATS))
    return np.asarray(rng.uniform(0.5, 1.1) * np.exp(drift) * (1 + rng.normal(0, rng.uniform(0.004, 0.015), BEATS)))


def _breathing(rng: np.random.Generator) -> Intervals:
    """Longer and shorter by up to 18 % with each breath of 2.5 to 8 s, no two breaths quite the same."""
    rr = _steady(rng)
    depth, rate_hz = rng.uniform(0.02, 0.18), rng.uniform(0.12, 0.4)
    phase = np.cumsum(2 * np.pi * rate_hz * rr * (1 + rng.normal(0, 0.1, BEATS)))
    return np.asarray(rr * (1 + depth * (1 + rng.normal(0, 0.15, BEATS)) * np.sin(phase)))


def _repeating(rng: np.random.Generator) -> Intervals:
    """A pattern of two to four intervals, now and then interrupted."""
    pattern = rng.uniform(0.6, 1.4, rng.integers(2, 5))
    start = np.cumsum(rng.random(BEATS) < 0.02)
    return np.asarray(_steady(rng) * pattern[(np.arange(BEATS) + start) % len(pattern)])


def _premature(rng: np.random.Generator) -> Intervals:
    """Up to half of the beats come early, the last of a run followed by a pause."""
    rr = _steady(rng)
    early = rng.random(BEATS) < rng.uniform(0.02, 0.5)
    pauses = np.concatenate([[False], early[:-1]]) & ~early
    usual = rng.uniform(0.55, 0.85)
    rr[early] *= usual * (1 + rng.normal(0, 0.05, int(early.sum())))
    rr[pauses] *= rng.uniform(1.0, 1.35)
    return rr


def _wenckebach(rng: np.random.Generator) -> Intervals:
    """Groups of three to six: intervals shorten, then one beat is dropped."""
    length = int(rng.integers(3, 7))
    place = np.arange(BEATS) % length
    rr = _steady(rng) * (1 - 0.03 * place)
    return np.asarray(np.where(place == 0, rng.uniform(1.5, 1.9) * rr, rr))


def _skipping(rng: np.random.Generator) -> Intervals:
    """Now and then a beat is left out, as in sinoatrial block, or comes after half the time."""
    rr = _steady(rng)
    share = rng.uniform(0.03, 0.4)
    return np.asarray(rr * rng.choice([1.0, 2.0, 0.5], BEATS, p=[1 - share, 0.7 * share, 0.3 * share]))


def _told(number: int, rng: np.random.Generator, rr_s: Intervals) -> Told:
    never = np.zeros(BEATS, np.bool_)
    early = rr_s < 0.85 * np.median(rr_s)
    p_percent = np.clip(rng.normal(75, 12, BEATS) - early * rng.uniform(0, 80, BEATS), -100, 100)
    at = np.round(np.cumsum(rr_s) * RATE_HZ).astype(np.int64)
    history = History(
        name=f"imagined {number}",
        rate_hz=RATE_HZ,
        count=int(at[-1]) + 1,
        r_index=at,
        rr_ms=1000.0 * rr_s,
        ventricular=never,
        p_percent=p_percent.astype(np.int64),
        has_p=rng.random(BEATS) < 0.95,
        readable=~never,
    )
    return Told("imagined", history, never)
