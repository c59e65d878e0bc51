"""On a Kafka that asks for names, everything works, and nobody can do more than is theirs."""

from __future__ import annotations

import asyncio
import json
import subprocess
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, replace
from uuid import UUID, uuid4

import httpx
import numpy as np
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.errors import TopicAuthorizationFailedError
from websockets.asyncio.client import connect

from ingest.client import AsyncClient
from leadwire.rejects import list_rejects
from processors.topic_counts import partition_counts
from schemas import topics
from schemas.clock import index_to_us, now_us
from schemas.codec import encode_pack
from schemas.errors import Busy, NotFound
from schemas.kafka import client_options
from schemas.samples import SampleBlock
from schemas.settings import KafkaSettings
from tests.bad_input.waiting import wait_until
from tests.pipeline.platform import LEADWIRE
from tests.pipeline.rows import stored_rows
from tests.pipeline.secured import DEVICE, OTHER, Secured, running_secured
from tests.servers.fixtures import skipping_or_failing
from tests.servers.secure_kafka import SecureKafkaServer

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(180)]

RATE_HZ, COUNT = 250.0, 250


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecureKafkaServer]:
    with skipping_or_failing("Apache Kafka"):
        started = SecureKafkaServer(tmp_path_factory.mktemp("secure-kafka"))
        started.start()
    yield started
    started.stop()


@pytest.fixture(scope="module")
def secured(server: SecureKafkaServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secured]:
    with running_secured(tmp_path_factory.mktemp("secured"), server) as running:
        yield running


@dataclass(frozen=True, slots=True)
class Patient:
    """A registered device, its owner, and who may look."""

    device_id: UUID
    user_id: str
    device_token: str
    access_token: str

    def blocks(self, seconds: int) -> list[SampleBlock]:
        """A recording of its own from now on backwards, a second a block."""
        recording_id, started_at_us = uuid4(), now_us() - seconds * 1_000_000
        return [
            SampleBlock(
                device_id=self.device_id,
                recording_id=recording_id,
                first_index=number * COUNT,
                started_at_us=started_at_us + index_to_us(number * COUNT, RATE_HZ),
                rate_hz=RATE_HZ,
                leads=("II",),
                uv_per_lsb=(5.0,),
                samples=np.arange(number * COUNT, (number + 1) * COUNT, dtype=np.int16).reshape(1, -1),
            )
            for number in range(seconds)
        ]


@pytest.fixture
async def patient(secured: Secured) -> AsyncIterator[Patient]:
    async with AsyncClient(secured.gateway.url) as client:
        login = await client.login(secured.gateway.username, secured.gateway.password)
        made = await client.register_device(device_serial=f"secure-{uuid4().hex}")
        yield Patient(made.device.device_id, str(login.user.user_id), made.token, login.access_token)


async def stored_count(secured: Secured, recording_id: UUID) -> int:
    try:
        rows = await stored_rows(secured.settings("leadwire-operator"), recording_id)
    except NotFound:  # the worker has not got to it yet
        return 0
    return sum(count for _, count, _ in rows.stretches)


async def test_samples_travel_from_a_device_to_a_watcher_with_every_service_under_its_own_name(
    secured: Secured, patient: Patient
) -> None:
    url, seen = f"{secured.api_url.replace('http', 'ws')}/ws/ecg/{patient.user_id}", set[str]()
    headers = {"Authorization": f"Bearer {patient.access_token}"}
    async with (
        AsyncClient(secured.gateway.url, device_token=patient.device_token) as device,
        connect(url, additional_headers=headers) as watching,
        asyncio.timeout(60),
    ):
        await watching.recv()
        await device.send_blocks(patient.blocks(10))
        while not {"samples", "metrics"} <= seen:
            seen.add(json.loads(await watching.recv())["type"])
    async with httpx.AsyncClient() as http:
        for url in (secured.gateway.url, secured.api_url, secured.worker_url):
            assert (await http.get(f"{url}/ready")).json()["status"] == "ready"


async def test_a_device_writes_its_samples_straight_to_kafka(secured: Secured, patient: Patient) -> None:
    blocks = patient.blocks(10)
    async with producer(secured.kafka(DEVICE)) as kafka:
        for block in blocks:
            await kafka.send_and_wait(topics.SAMPLES, encode_pack([block]), topics.device_key(block.device_id))

    async def is_stored() -> bool:
        return await stored_count(secured, blocks[0].recording_id) == 10 * COUNT

    await wait_until(is_stored, "what the device wrote", within_s=30)


@pytest.mark.parametrize("topic", [name for name in topics.ALL if name != topics.SAMPLES])
async def test_a_device_writes_to_no_other_topic(secured: Secured, topic: str) -> None:
    await refused_to_write(secured, DEVICE, topic)


@pytest.mark.parametrize(
    ("principal", "topic"),
    [
        ("leadwire-api", topics.SAMPLES),
        ("leadwire-api", topics.ALARMS),
        ("leadwire-gateway", topics.BEATS),
        ("leadwire-gateway", topics.REJECTS),
        ("leadwire-worker", topics.SAMPLES),
    ],
)
async def test_a_service_writes_only_what_is_its_own(secured: Secured, principal: str, topic: str) -> None:
    await refused_to_write(secured, principal, topic)


@pytest.mark.parametrize("principal", [DEVICE, "leadwire-gateway"])
async def test_who_writes_samples_can_not_read_them(secured: Secured, principal: str) -> None:
    consumer = AIOKafkaConsumer(**client_options(secured.kafka(principal)), group_id=None)
    await consumer.start()
    try:
        partition = TopicPartition(topics.SAMPLES, 0)
        consumer.assign([partition])
        consumer.seek(partition, 0)
        with pytest.raises(TopicAuthorizationFailedError):
            await consumer.getmany(partition, timeout_ms=20_000)
    finally:
        await consumer.stop()


async def test_a_principal_is_shown_only_the_topics_it_has_to_do_with(secured: Secured) -> None:
    assert set(await partition_counts(secured.kafka(DEVICE))) == {topics.SAMPLES}
    assert topics.REJECTS not in await partition_counts(secured.kafka("leadwire-api"))


async def test_a_device_that_is_taken_away_can_not_write_on_an_open_connection(
    secured: Secured, patient: Patient
) -> None:
    [block] = patient.blocks(1)
    async with producer(secured.kafka(OTHER)) as kafka:
        await kafka.send_and_wait(topics.SAMPLES, encode_pack([block]), topics.device_key(block.device_id))
        await asyncio.to_thread(secured.server.principals, ("remove", OTHER))
        with pytest.raises(TopicAuthorizationFailedError):
            await kafka.send_and_wait(topics.SAMPLES, encode_pack([block]), topics.device_key(block.device_id))
    with pytest.raises(Busy, match=f"and its login as {OTHER} there"):
        await partition_counts(secured.kafka(OTHER))


async def test_a_device_that_nobody_registered_becomes_a_dead_letter(secured: Secured, patient: Patient) -> None:
    [block] = replace(patient, device_id=uuid4()).blocks(1)
    async with producer(secured.kafka(DEVICE)) as kafka:
        await kafka.send_and_wait(topics.SAMPLES, encode_pack([block]), topics.device_key(block.device_id))

    async def is_rejected() -> bool:
        letters = await list_rejects(secured.kafka("leadwire-operator"))
        return any(str(block.device_id) in letter.reason for letter in letters)

    await wait_until(is_rejected, "the dead letter")


@pytest.mark.parametrize(
    "changed",
    [{"security": "plaintext", "ca_file": None}, {"ca_file": None}, {"security": "ssl"}, {"username": "nobody"}],
    ids=["no-tls", "unknown-authority", "no-login", "unknown-name"],
)
async def test_nobody_comes_in_without_tls_and_a_login(secured: Secured, changed: dict[str, object]) -> None:
    settings = secured.kafka("leadwire-worker").model_copy(update=changed)
    with pytest.raises(Busy, match=f"LEADWIRE_KAFKA_SECURITY={settings.security}"):
        await asyncio.wait_for(partition_counts(settings), 30)


def test_doctor_finds_kafka_well_for_the_operator_and_tells_who_may_not_ask(secured: Secured) -> None:
    assert doctor(secured, "leadwire-operator")["kafka topics"] == "ok"
    assert "give this principal DescribeConfigs" in doctor(secured, "leadwire-worker")["kafka topics"]


def test_doctor_tells_a_topic_that_differs_from_the_settings(secured: Secured) -> None:
    told = doctor(secured, "leadwire-operator", LEADWIRE_KAFKA_RETENTION_HOURS="24")["kafka topics"]
    assert "--entity-name ecg.samples --add-config retention.ms=86400000" in told


def doctor(secured: Secured, principal: str, **more: str) -> dict[str, str]:
    env = secured.environment(principal) | more
    done = subprocess.run([*LEADWIRE, "doctor", "--json"], env=env, capture_output=True, text=True, check=False)
    told: dict[str, str] = json.loads(done.stdout)
    assert secured.passwords[principal] not in done.stdout + done.stderr
    return told


async def refused_to_write(secured: Secured, principal: str, topic: str) -> None:
    async with producer(secured.kafka(principal)) as kafka:
        with pytest.raises(TopicAuthorizationFailedError):
            await asyncio.wait_for(kafka.send_and_wait(topic, b"x"), 20)


def producer(settings: KafkaSettings) -> AIOKafkaProducer:
    return AIOKafkaProducer(**client_options(settings), acks="all", enable_idempotence=False)
