"""Objects whose row is gone are removed, and what cut-off uploads left: when the store is there, or is back."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from itertools import count
from typing import Final

from ingest.rooms import WriteRooms
from schemas import clock
from schemas.errors import LeadwireError
from schemas.logs import logger
from schemas.telemetry import REMOVALS_FAILED
from storage import object_removals
from storage.objects import Objects

EVERY_S: Final = 60.0
_FORGET_EVERY: Final = 60
"""Sweeps: an hour."""
UNFINISHED_FOR: Final = timedelta(days=1)
"""No upload takes so long; S3's own rule for this counts in days, too."""

_log = logger(__name__)


async def keep_sweeping(rooms: WriteRooms) -> None:
    """Sweep once a minute until cancelled; several gateways may, each takes other objects."""
    for number in count(1):
        await asyncio.sleep(EVERY_S)
        await sweep(rooms)
        if number % _FORGET_EVERY == 0:
            await forget_unfinished(rooms.objects, clock.now())


async def sweep(rooms: WriteRooms) -> None:
    """Remove what is put down for removal and due, until nothing is left or a server is away. Raises nothing."""
    try:
        while await _remove_next(rooms):
            pass
    except LeadwireError as error:
        _log.warning("objects wait for their removal", why=str(error))


async def forget_unfinished(store: Objects, at: datetime) -> None:
    """Give up uploads that were cut off a day before `at` or earlier. Raises nothing."""
    try:
        if forgotten := await store.forget_unfinished(at - UNFINISHED_FOR):
            _log.info("uploads that were cut off are given up", count=forgotten)
    except LeadwireError as error:
        _log.warning("uploads that were cut off stay", why=str(error))


async def _remove_next(rooms: WriteRooms) -> bool:
    """One object; whether another one should be tried now."""
    at = clock.now()
    async with rooms.database.transaction() as conn:
        due = await object_removals.take(conn, at, 1)
        for key in due:
            try:
                await rooms.objects.delete(key)
            except LeadwireError as error:
                REMOVALS_FAILED.inc()
                _log.warning("an object was not removed", key=key, why=str(error))
                await object_removals.put_off(conn, key, at)
                return False
            await object_removals.done(conn, key)
    return bool(due)
