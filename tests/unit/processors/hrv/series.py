"""Beats made for one test: a rhythm told by its intervals."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID

import numpy as np

from schemas.clock import to_us
from storage.hrv import RecordedBeats, StretchBeats

START = datetime(2026, 1, 1, 12, 5, tzinfo=UTC)
START_US = to_us(START)
USER, DEVICE = UUID(int=7), UUID(int=8)


def beats(
    interval_ms: Sequence[float], classes: str | None = None, *, user: UUID | None = USER, from_s: float = 0.0
) -> RecordedBeats:
    """A first beat, then one after each interval; of class N unless `classes` says otherwise."""
    at_us = START_US + round(from_s * 1e6) + np.round(np.cumsum([0.0, *interval_ms]) * 1000).astype(int)
    return RecordedBeats(user, at_us.tolist(), classes or "N" * len(at_us), [None, *interval_ms], "e-1")


def modulated(hz: float, depth_ms: float, *, mean_ms: float = 800.0, seconds: float = 298.0) -> list[float]:
    """Intervals that swing by `depth_ms` at `hz`, for so long."""
    at_ms, intervals = 0.0, list[float]()
    while at_ms < seconds * 1000:
        intervals.append(mean_ms + depth_ms * float(np.sin(2 * np.pi * hz * at_ms / 1000)))
        at_ms += intervals[-1]
    return intervals


def stretch(*recordings: RecordedBeats, af_share: float | None = 0.0) -> StretchBeats:
    return StretchBeats(DEVICE, START, list(recordings), af_share)
