"""Rounds of the archive that are killed, each one step later than the one before: `python -m … SECONDS_SINCE_1970`."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import soundfile  # noqa: F401  # before the forks, so that each needn't load it
from psycopg import AsyncConnection

from processors.archive import ArchiveService
from schemas.settings import Settings
from storage.database import Database
from storage.objects_local import LocalObjects


class Life:
    """So many steps long."""

    def __init__(self, steps: int) -> None:
        self.left = steps

    def step(self) -> None:
        self.left -= 1
        if self.left < 0:
            os.kill(os.getpid(), signal.SIGKILL)


class MortalDatabase(Database):
    """Dies before or after a commit."""

    life: Life

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncConnection]:
        async with super().transaction() as conn:
            yield conn
            self.life.step()
        self.life.step()


class MortalObjects(LocalObjects):
    """Dies before or after a file is put, and before one is read."""

    life: Life

    async def put(self, key: str, data: bytes, content_type: str) -> None:
        self.life.step()
        await super().put(key, data, content_type)
        self.life.step()

    async def get(self, key: str) -> bytes:
        self.life.step()
        return await super().get(key)


async def one_round(settings: Settings, now: datetime, life: Life) -> None:
    assert settings.objects.folder is not None
    store = MortalObjects(settings.objects.folder, settings.security.secret_key, "http://localhost")
    database = MortalDatabase(settings.database.url, pool_size=6)
    store.life = database.life = life
    await database.open()
    await ArchiveService(database, store, settings.archive, now=lambda: now).round()
    await database.close()


def main() -> int:
    """How many rounds were killed before one came to its end."""
    settings, now = Settings(), datetime.fromtimestamp(int(sys.argv[1]), UTC)
    for steps in range(1000):
        child = os.fork()
        if child == 0:
            asyncio.run(one_round(settings, now, Life(steps)))
            os._exit(0)
        _, status = os.waitpid(child, 0)
        if os.waitstatus_to_exitcode(status) == 0:
            return steps
        if os.waitstatus_to_exitcode(status) != -signal.SIGKILL:
            raise SystemExit(f"step {steps} ended by itself: {status}")
    raise SystemExit("no round came to its end")


if __name__ == "__main__":
    sys.stdout.write(f"{main()}\n")
