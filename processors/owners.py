"""Who a device belongs to, remembered for a short while."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final
from uuid import UUID

from cachetools import TTLCache

from storage import devices
from storage.database import Database
from storage.devices import DeviceOwner

_KNOWN_S: Final = 30
_KNOWN_DEVICES: Final = 50_000


class Owners:
    """The owner of each registered device; a change is seen within 30 s, a new device at once."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._known: TTLCache[UUID, DeviceOwner] = TTLCache(_KNOWN_DEVICES, _KNOWN_S)

    async def of(self, device_ids: Collection[UUID]) -> dict[UUID, DeviceOwner]:
        """Owners by device; devices that are not registered are absent. Raises Busy."""
        found = {device_id: self._known[device_id] for device_id in device_ids if device_id in self._known}
        missing = [device_id for device_id in device_ids if device_id not in found]
        if missing:
            async with self._database.transaction() as connection:
                asked = await devices.owners(connection, missing)
            self._known.update(asked)
            found |= asked
        return found
