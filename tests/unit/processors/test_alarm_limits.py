"""Limits are looked up at once and then again after a few seconds, whoever asks how often."""

from __future__ import annotations

from uuid import UUID

from processors.alarm_limits import KNOWN_S, CurrentLimits
from schemas.alarms import AlarmLimits

from .fakes import FakeDatabase

ROW = {"device_id": UUID(int=1), "low_bpm": 45, "high_bpm": 120, "delay_s": 0, "off": ["Pause"]}


async def test_limits_are_those_of_the_database_and_a_change_is_seen_soon() -> None:
    database, clock = FakeDatabase({"FROM alarm_limits": [ROW]}), [100.0]
    limits = CurrentLimits(database, lambda: clock[0])
    assert await limits.by_device() == {UUID(int=1): AlarmLimits(45, 120, 0, ("Pause",))}
    database.answers = {}
    clock[0] += KNOWN_S - 0.1
    assert list(await limits.by_device()) == [UUID(int=1)]
    clock[0] += 0.1
    assert await limits.by_device() == {}


async def test_one_asks_no_more_often_than_that() -> None:
    database = FakeDatabase()
    limits = CurrentLimits(database, lambda: 5.0)
    for _ in range(10):
        await limits.by_device()
    assert len(database.asked) == 1
