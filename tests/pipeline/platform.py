"""A running Leadwire for tests: broker, PostgreSQL, worker and HTTP as separate processes."""

from __future__ import annotations

import asyncio
import os
import secrets
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ingest.client import AsyncClient
from ingest.player import Target
from leadwire.children import Child, Children, wait_until
from leadwire.embedded import embedded_stack, free_port, is_listening
from leadwire.enrolment import Bed, Login, enrol
from leadwire.people import create_user
from leadwire.provision import provision
from schemas.settings import Settings

LEADWIRE = (sys.executable, "-m", "leadwire")


@dataclass(slots=True)
class Platform:
    """Where everything is, and the worker to kill."""

    login: Login
    env: dict[str, str]
    settings: Settings
    children: Children
    worker: Child

    def kill_worker(self) -> None:
        """SIGKILL, then a new worker, as a process manager would."""
        self.children.kill(self.worker)
        self.children.stop(self.worker)
        self.worker = self.children.start("worker", [*LEADWIRE, "worker"], env=self.env)

    async def device(self, serial: str) -> Target:
        """A device of its own patient, with a token."""
        [target] = await enrol(self.login, [Bed(serial, f"Patient {serial}", serial)])
        return target

    async def client(self, device_token: str | None = None) -> AsyncClient:
        """Logged in as the admin; close it."""
        client = AsyncClient(self.login.url, device_token=device_token)
        await client.login(self.login.username, self.login.password)
        return client


@contextmanager
def running_platform(folder: Path, kafka_bootstrap: str | None, **more: str) -> Iterator[Platform]:
    """Started before the block, and everything stopped after it; `more` are further settings of its services."""
    port = free_port()
    with embedded_stack(folder, kafka_bootstrap) as stack:
        env = stack.env() | {
            "SECRET_KEY": secrets.token_hex(32),
            "LEADWIRE_ENV": "production",
            "LEADWIRE_PUBLIC_URL": f"http://127.0.0.1:{port}",
            "LEADWIRE_CHECKPOINT_INTERVAL_S": "2",
            "LEADWIRE_IDLE_AFTER_S": "8",
            "LEADWIRE_KAFKA_PARTITIONS": "8",
            **more,
        }
        settings = settings_of(env)
        asyncio.run(provision(settings))
        login = Login(f"http://127.0.0.1:{port}", "admin", secrets.token_urlsafe(12))
        asyncio.run(create_user(settings, login.username, login.password, "admin", None))
        worker = stack.children.start("worker", [*LEADWIRE, "worker"], env=env)
        serving = stack.children.start("serve", [*LEADWIRE, "serve", "--port", str(port)], env=env)
        wait_until(lambda: is_listening(f"127.0.0.1:{port}"), serving, within_s=60)
        yield Platform(login, env, settings, stack.children, worker)


def settings_of(env: dict[str, str]) -> Settings:
    """What a service with this environment reads; our own environment is as before afterwards."""
    before = dict(os.environ)
    os.environ.update(env)
    try:
        settings = Settings()
        for group in (settings.kafka, settings.database, settings.objects, settings.security, settings.http):
            assert group is not None  # read now: each group is read when it is first asked for
        return settings
    finally:
        os.environ.clear()
        os.environ.update(before)
