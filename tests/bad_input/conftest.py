"""One running Leadwire for all of bad input."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import httpx
import pytest
from aiokafka import AIOKafkaProducer

from ingest.client import AsyncClient
from leadwire.children import wait_until
from leadwire.embedded import free_port, is_listening
from schemas import topics
from tests.bad_input.scene import Device, Scene
from tests.bad_input.tape import running_tape
from tests.pipeline.platform import Platform, running_platform


@pytest.fixture(scope="package")
def worker_port() -> int:
    return free_port()


@pytest.fixture(scope="package")
def platform(worker_port: int, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """Stores each second as it comes, and its worker answers for its telemetry."""
    folder = tmp_path_factory.mktemp("bad_input")
    settings = {
        "LEADWIRE_STRETCH_S": "1",
        "LEADWIRE_BATCH_WITHIN_S": "0.02",
        "LEADWIRE_WORKER_PORT": str(worker_port),
    }
    with running_platform(folder, None, **settings) as running:
        # Compiling the engine takes a minute where its cache is empty.
        wait_until(lambda: is_listening(f"127.0.0.1:{worker_port}"), running.worker, within_s=150)
        yield running


@pytest.fixture(scope="package")
async def scene(platform: Platform, worker_port: int) -> AsyncIterator[Scene]:
    kafka, base_url = platform.settings.kafka, platform.login.url + platform.settings.http.prefix
    async with (
        AsyncClient(platform.login.url) as admin,
        httpx.AsyncClient(base_url=base_url, timeout=30, trust_env=False) as http,
        AIOKafkaProducer(bootstrap_servers=kafka.bootstrap, acks="all", enable_idempotence=False) as producer,
        running_tape(kafka.bootstrap, topics.SAMPLES, kafka.partitions) as samples,
        running_tape(kafka.bootstrap, topics.REJECTS, kafka.partitions) as rejects,
    ):
        login = await admin.login(platform.login.username, platform.login.password)
        worker_url = f"http://127.0.0.1:{worker_port}"
        yield Scene(platform, http, admin, login.access_token, producer, samples, rejects, worker_url)


@pytest.fixture
async def device(scene: Scene) -> Device:
    """A device of the test's own."""
    return await scene.device()
