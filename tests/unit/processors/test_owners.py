"""A device that is deactivated is known as such within 30 s, and one that is registered at once."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import cast
from uuid import UUID

import pytest

from processors.owners import KNOWN_S, Owners
from storage.database import Database
from storage.devices import DeviceOwner

DEVICE, USER = UUID(int=1), UUID(int=2)


class FakeDatabase:
    """Who owns what, and how often it was asked."""

    def __init__(self) -> None:
        self.rows: dict[UUID, DeviceOwner] = {}
        self.asked = 0

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[FakeDatabase]:
        yield self


async def _owners(database: FakeDatabase, device_ids: Sequence[UUID]) -> dict[UUID, DeviceOwner]:
    database.asked += 1
    return {device_id: database.rows[device_id] for device_id in device_ids if device_id in database.rows}


class Clock:
    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    monkeypatch.setattr("storage.devices.owners", _owners)
    return Clock()


async def test_a_deactivated_device_is_refused_within_30_s(clock: Clock) -> None:
    database = FakeDatabase()
    known = Owners(cast("Database", database), clock)
    database.rows[DEVICE] = DeviceOwner(DEVICE, USER, is_active=True)
    assert (await known.of([DEVICE]))[DEVICE].is_active
    database.rows[DEVICE] = DeviceOwner(DEVICE, USER, is_active=False)
    clock.now_s = KNOWN_S + 0.1
    assert not (await known.of([DEVICE]))[DEVICE].is_active
    assert KNOWN_S <= 30


async def test_who_is_known_is_not_asked_for_again_meanwhile(clock: Clock) -> None:
    database = FakeDatabase()
    known = Owners(cast("Database", database), clock)
    database.rows[DEVICE] = DeviceOwner(DEVICE, USER, is_active=True)
    await known.of([DEVICE])
    clock.now_s = KNOWN_S - 1.0
    await known.of([DEVICE])
    assert database.asked == 1


async def test_a_device_that_was_unknown_is_known_as_soon_as_it_is_registered(clock: Clock) -> None:
    database = FakeDatabase()
    known = Owners(cast("Database", database), clock)
    assert await known.of([DEVICE]) == {}
    database.rows[DEVICE] = DeviceOwner(DEVICE, USER, is_active=True)
    assert DEVICE in await known.of([DEVICE])
    assert clock.now_s == 0.0
