"""The limits of patients, looked up again every few seconds."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Final
from uuid import UUID

from schemas.alarms import AlarmLimits
from storage import alarm_limits
from storage.database import Database

KNOWN_S: Final = 5.0
"""A change is in force this soon. All limits that differ from the default come in one query: they are few."""


class CurrentLimits:
    """The limits in force, by device; devices that are absent have the default ones."""

    def __init__(self, database: Database, clock_s: Callable[[], float] = time.monotonic) -> None:
        self._database = database
        self._clock_s = clock_s
        self._known: Mapping[UUID, AlarmLimits] = {}
        self._asked_at_s: float | None = None

    async def by_device(self) -> Mapping[UUID, AlarmLimits]:
        """At most KNOWN_S old. Raises Busy."""
        now_s = self._clock_s()
        if self._asked_at_s is None or now_s - self._asked_at_s >= KNOWN_S:
            async with self._database.transaction() as connection:
                self._known = await alarm_limits.by_device(connection)
            self._asked_at_s = now_s
        return self._known
