"""Alarms of real recordings through the real engine: calm where the heart is calm, the same however it is cut."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

import pytest

from ingest.records import read_record
from ingest.sources import RecordSource, Take
from processors.alarms import Board
from processors.ecg.engines import engine
from schemas.alarms import AlarmEvent

from .alarm_rows import START_US

pytestmark = pytest.mark.data

MINUTES = 8


def told_by(record: Path, block_s: float) -> list[AlarmEvent]:
    """Everything the board tells of the first minutes, the device's end left out."""
    whole = read_record(record)
    samples = whole.samples[:, : int(MINUTES * 60 * whole.rate_hz)]
    source = RecordSource(whole.name, whole.rate_hz, whole.leads, whole.uv_per_lsb, samples)
    fast, board, events = engine("fast"), Board(), list[AlarmEvent]()
    state = fast.new_state()
    for block in source.blocks(Take(UUID(int=1), UUID(int=2), START_US), block_s=block_s):
        step = fast.step([block], state)
        state = step.state
        events += board.take(step.results).events
    return events


def test_a_calm_heart_raises_nothing(recordings: Path) -> None:
    assert told_by(recordings / "mitdb" / "100", 1.0) == []


@pytest.mark.parametrize("name", ["203", "207"])
def test_the_alarms_of_a_heart_in_trouble_do_not_depend_on_how_it_is_cut(recordings: Path, name: str) -> None:
    second, half, long = (told_by(recordings / "mitdb" / name, block_s) for block_s in (1.0, 0.5, 60.0))
    assert sorted(map(repr, second)) == sorted(map(repr, half)) == sorted(map(repr, long))
    assert second
