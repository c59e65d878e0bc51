"""Where a recording's samples lie in the tables of samples: their indices, their moments, how far its clock strayed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from schemas.clock import EARLIEST_US, END_US, index_to_us, to_datetime, to_us
from schemas.samples import Lead, Recording

_SLACK_US: Final = 1_000_000
"""Microseconds are rounded here and there; a second more on either side costs nothing."""

KEPT_COLUMNS: Final = """
    r.recording_id, r.device_id, r.user_id, r.started_at, r.rate_hz, r.leads, r.uv_per_lsb,
    r.first_index, r.end_index, r.longest, r.clock_early_us, r.clock_late_us
"""
"""The columns of `recordings AS r` that Kept.of_row takes."""


@dataclass(frozen=True, slots=True)
class Extent:
    """All samples ever stored of a recording lie in [first_index, end_index); both 0 when there are none."""

    first_index: int
    end_index: int


@dataclass(frozen=True, slots=True)
class IndexWindow:
    """Indices [first_index, end_index) of a recording."""

    first_index: int
    end_index: int


@dataclass(frozen=True, slots=True)
class TimeWindow:
    """Moments [start, end)."""

    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class Kept:
    """A recording and where its stretches are.

    No stretch is longer than `longest` samples per lead, and each began at the recording's start + index / rate, less
    `clock_early_us` at most or plus `clock_late_us` at most: whatever the device's clock did, they are in the windows
    worked out here. The writer of stretches sees to it (storage/samples.py).
    """

    recording: Recording
    extent: Extent
    longest: int
    clock_early_us: int
    clock_late_us: int

    @classmethod
    def of_row(
        cls,
        *,
        recording_id: UUID,
        device_id: UUID,
        user_id: UUID | None,
        started_at: datetime,
        rate_hz: float,
        leads: list[Lead],
        uv_per_lsb: list[float],
        first_index: int | None,
        end_index: int | None,
        longest: int,
        clock_early_us: int,
        clock_late_us: int,
    ) -> Kept:
        """From the columns KEPT_COLUMNS."""
        recording = Recording(
            recording_id, device_id, user_id, to_us(started_at), rate_hz, tuple(leads), tuple(uv_per_lsb)
        )
        return cls(recording, Extent(first_index or 0, end_index or 0), longest, clock_early_us, clock_late_us)

    def rows_of(self, first_index: int, end_index: int) -> IndexWindow:
        """Where the first indices of all rows lie that hold a sample of [first_index, end_index)."""
        first = max(first_index - self.longest + 1, self.extent.first_index)
        return IndexWindow(first, min(end_index, self.extent.end_index))

    def moments_of(self, rows: IndexWindow) -> TimeWindow:
        """Where `started_at` of all rows lies whose first index is in `rows`."""
        recording = self.recording
        start_us = recording.started_at_us + index_to_us(rows.first_index, recording.rate_hz)
        end_us = recording.started_at_us + index_to_us(rows.end_index, recording.rate_hz)
        return TimeWindow(
            _moment(start_us - self.clock_early_us - _SLACK_US), _moment(end_us + self.clock_late_us + _SLACK_US)
        )

    def rows_at(self, start_us: int, end_us: int) -> IndexWindow:
        """Where the first indices of all rows lie whose `started_at` is in [start_us, end_us)."""
        start, rate_hz = self.recording.started_at_us, self.recording.rate_hz
        first = int((start_us - start - self.clock_late_us - _SLACK_US) * rate_hz / 1e6)
        end = int((end_us - start + self.clock_early_us + _SLACK_US) * rate_hz / 1e6) + 1
        return IndexWindow(max(first, self.extent.first_index), min(end, self.extent.end_index))


def _moment(at_us: int) -> datetime:
    return to_datetime(min(max(at_us, EARLIEST_US), END_US))
