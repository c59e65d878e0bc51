"""Who a device belongs to, remembered for a short while."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from storage import devices
from storage.database import Database
from storage.devices import DeviceOwner

KNOWN_S: Final = 30.0
_KNOWN_DEVICES: Final = 50_000


@dataclass(frozen=True, slots=True)
class _Known:
    owner: DeviceOwner
    asked_at_s: float


class Owners:
    """The owner of each registered device; a change is seen within KNOWN_S, a new device at once."""

    def __init__(self, database: Database, clock_s: Callable[[], float] = time.monotonic) -> None:
        self._database = database
        self._clock_s = clock_s
        self._known: dict[UUID, _Known] = {}

    async def of(self, device_ids: Collection[UUID]) -> dict[UUID, DeviceOwner]:
        """Owners by device; devices that are not registered are absent. Raises Busy."""
        now_s = self._clock_s()
        found: dict[UUID, DeviceOwner] = {}
        missing: list[UUID] = []
        for device_id in device_ids:
            known = self._known.get(device_id)
            if known is None or now_s - known.asked_at_s > KNOWN_S:
                missing.append(device_id)
            else:
                found[device_id] = known.owner
        if missing:
            found |= await self._ask(missing, now_s)
        return found

    async def _ask(self, missing: list[UUID], now_s: float) -> dict[UUID, DeviceOwner]:
        async with self._database.transaction() as connection:
            asked = await devices.owners(connection, missing)
        if len(self._known) > _KNOWN_DEVICES:
            self._known.clear()  # they are asked for again; a bound is all that is wanted
        for device_id in missing:
            self._known.pop(device_id, None)
        self._known.update((device_id, _Known(owner, now_s)) for device_id, owner in asked.items())
        return asked
