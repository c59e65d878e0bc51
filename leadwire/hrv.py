"""The HRV service: database and figures wired together and run until a signal, after everyone else."""

from __future__ import annotations

import os
from typing import Final

from leadwire.probes import probes, signalled
from processors.hrv.service import HrvService
from schemas.logs import logger
from schemas.settings import Settings
from storage.database import writer

_NICE: Final = 10
"""What is left of the processor is enough: a stretch may wait, a sample may not."""

_log = logger(__name__)


async def run_hrv(settings: Settings) -> None:
    """Compute what is due until SIGINT or SIGTERM. Raises Busy when the database is away at start, or for long."""
    os.nice(_NICE)
    database = writer(settings.database)
    await database.open()
    service = HrvService(database)
    stopping = signalled()
    async with probes("Leadwire HRV", settings.worker, {"database": database.ping, "hrv": service.ready}):
        _log.info("hrv started")
        await service.run(stopping)
    await database.close()
