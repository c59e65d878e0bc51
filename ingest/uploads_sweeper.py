"""Objects whose row is gone are removed: at once when the store is there, later when it comes back."""

from __future__ import annotations

import asyncio
from typing import Final

from ingest.rooms import WriteRooms
from schemas import clock
from schemas.errors import LeadwireError
from schemas.logs import logger
from schemas.telemetry import REMOVALS_FAILED
from storage import object_removals

EVERY_S: Final = 60.0

_log = logger(__name__)


async def keep_sweeping(rooms: WriteRooms) -> None:
    """Sweep once a minute until cancelled; several gateways may, each takes other objects."""
    while True:
        await asyncio.sleep(EVERY_S)
        await sweep(rooms)


async def sweep(rooms: WriteRooms) -> None:
    """Remove what is put down for removal and due, until nothing is left or a server is away. Raises nothing."""
    try:
        while await _remove_next(rooms):
            pass
    except LeadwireError as error:
        _log.warning("objects wait for their removal", why=str(error))


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
