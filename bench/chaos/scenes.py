"""One disturbed run while it lasts: what faults act on, and the diary of what was done to it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

from bench.chaos.devices import GatewayLink, KafkaLink, Load
from bench.chaos.services import Service
from bench.chaos.stands import Stand
from ingest.client import AsyncClient
from schemas.clock import to_datetime
from schemas.errors import Busy

_REPORT_S = 10


@dataclass(frozen=True, slots=True)
class Injected:
    """One fault, its moments on the monotonic clock."""

    name: str
    began_s: float
    ended_s: float


@dataclass(slots=True)
class Scene:
    """The stand, its services, the load that runs, and what has been done so far."""

    stand: Stand
    load: Load
    worker: Service
    gateway: Service
    gateway_link: GatewayLink
    kafka_link: KafkaLink
    diary: list[Injected] = field(default_factory=list)
    reports: list[UUID] = field(default_factory=list)
    poisons: int = 0

    @property
    def seconds(self) -> int:
        """How long the load lasts."""
        return self.load.fleet.seconds

    async def at(self, part: float) -> None:
        """Return when this part (0 to 1) of the load is over."""
        await self.after(part * self.seconds)

    async def after(self, seconds: float) -> None:
        """Return so long after the load's beginning."""
        await asyncio.sleep(self.load.begun_s + seconds - time.monotonic())

    @asynccontextmanager
    async def fault(self, name: str) -> AsyncIterator[None]:
        """Note the fault that the block is."""
        began_s = time.monotonic()
        yield
        self.diary.append(Injected(name, began_s, time.monotonic()))

    async def ask_for_report(self, admin: AsyncClient) -> None:
        """Ask until the gateway takes it: a report of one device's first seconds."""
        bedside = self.load.fleet.bedsides[len(self.reports) % self.load.fleet.count]
        start = to_datetime(self.load.fleet.begun_us)
        while True:
            try:
                asked = await admin.request_report(bedside.device_id, start, start + timedelta(seconds=_REPORT_S))
            except Busy:
                await asyncio.sleep(0.5)
                continue
            self.reports.append(asked)
            return

    async def admin(self) -> AsyncClient:
        """A new administrator, logged in; close it."""
        told = await asyncio.to_thread(self.stand.run, "user", "create", "chaos", "--admin")
        client = AsyncClient(self.stand.gateway_url)
        await client.login("chaos", told.split()[-1])
        return client
