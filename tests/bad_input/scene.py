"""A running Leadwire, seen from outside: what a device sends, what users see stored, what the topics hold."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any, Final
from uuid import UUID, uuid4

import httpx
import numpy as np
from aiokafka import AIOKafkaProducer
from numpy.typing import NDArray

from ingest.client import AsyncClient
from schemas import topics
from schemas.clock import index_to_us, now_us
from schemas.codec import decode_pack, encode_pack
from schemas.errors import NotFound
from schemas.samples import SampleBlock
from tests.bad_input.tape import Record, Tape
from tests.bad_input.waiting import wait_until
from tests.pipeline.platform import Platform

RATE_HZ: Final = 250.0
COUNT: Final = 250
PROTOBUF: Final = "application/x-protobuf"
JSON: Final = "application/json"


@dataclass(frozen=True, slots=True)
class Sent:
    """Where in ecg.samples a record is."""

    partition: int
    offset: int


@dataclass(frozen=True, slots=True)
class Letter:
    """A dead letter."""

    kind: str
    reason: str
    key: bytes | None
    value: bytes


@dataclass(frozen=True, slots=True)
class Scene:
    """The platform and the ways into it. `http` has no token and stands at the API's prefix."""

    platform: Platform
    http: httpx.AsyncClient
    admin: AsyncClient
    admin_token: str
    kafka: AIOKafkaProducer
    samples: Tape
    rejects: Tape
    worker_url: str

    async def device(self) -> Device:
        """One that is registered for the admin and has sent nothing yet."""
        made = await self.admin.register_device(device_serial=f"bad-input-{uuid4().hex}")
        return Device(self, made.device.device_id, made.token, uuid4(), now_us() - 60_000_000)

    async def publish(self, value: bytes, partition: int, key: bytes | None = None) -> Sent:
        """Straight to ecg.samples, past the gateway."""
        told = await self.kafka.send_and_wait(topics.SAMPLES, value, key, partition)
        return Sent(told.partition, told.offset)

    async def letter(self, sent: Sent) -> Letter:
        """The only dead letter of a record, once it is there."""

        def found() -> list[Record]:
            return self.rejects.found(lambda record: _origin(record) == sent)

        await wait_until(lambda: bool(found()), f"a dead letter for {sent}")
        [record] = found()
        told = _headers(record)
        return Letter(told["kind"], told["reason"], record.key, record.value or b"")

    async def repeats_counted(self) -> float:
        """Blocks that the worker has dropped as repeats, by its telemetry."""
        answer = await self.http.get(f"{self.worker_url}/metrics")
        found = re.search(r"^leadwire_blocks_repeated_total (\S+)$", answer.text, re.MULTILINE)
        assert found is not None
        return float(found[1])


@dataclass(frozen=True, slots=True)
class Device:
    """A registered device with one recording in progress: lead II, a second a block."""

    scene: Scene
    device_id: UUID
    token: str
    recording_id: UUID
    started_at_us: int

    @property
    def partition(self) -> int:
        return topics.partition_of(self.device_id, self.scene.platform.settings.kafka.partitions)

    def block(self, number: int = 0, **changed: Any) -> SampleBlock:
        """The `number`th second of the recording; its values are never those of another second."""
        first = number * COUNT
        good = SampleBlock(
            device_id=self.device_id,
            recording_id=self.recording_id,
            first_index=first,
            started_at_us=self.started_at_us + index_to_us(first, RATE_HZ),
            rate_hz=RATE_HZ,
            leads=("II",),
            uv_per_lsb=(5.0,),
            samples=values(first, first + COUNT),
        )
        return replace(good, **changed)

    async def post(self, body: bytes, kind: str = PROTOBUF, token: str | None = None) -> httpx.Response:
        """POST ecg/samples with this device's token, or another; "" for none."""
        used = self.token if token is None else token
        headers = {"Content-Type": kind} | ({"Authorization": f"Bearer {used}"} if used else {})
        return await self.scene.http.post("/ecg/samples", content=body, headers=headers)

    async def post_good(self, *numbers: int) -> None:
        """These seconds, all taken in."""
        answer = await self.post(encode_pack([self.block(number) for number in numbers]))
        assert (answer.status_code, answer.json()) == (202, {"accepted": len(numbers), "samples": COUNT * len(numbers)})

    async def in_kafka(self, count: int) -> list[int]:
        """The first index of every block that reached ecg.samples in this device's name, once there are `count`."""

        def found() -> list[int]:
            return [block.first_index for record in self._records() for block in decode_pack(record.value)]

        await wait_until(lambda: len(found()) >= count, f"block number {count} of {self.device_id} in Kafka")
        return found()

    async def sent(self, number: int) -> Sent:
        """Where this device's `number`th record is."""
        await wait_until(lambda: len(self._records()) > number, f"record number {number} of {self.device_id}")
        record = self._records()[number]
        return Sent(record.partition, record.offset)

    def _records(self) -> list[Record]:
        key = topics.device_key(self.device_id)
        return self.scene.samples.found(lambda record: record.key == key)

    async def stored(self, recording_id: UUID | None = None) -> list[int]:
        """The samples of a recording that users can read."""
        try:
            found = await self.scene.admin.samples(recording_id or self.recording_id, 0, 1_000 * COUNT)
        except NotFound:
            return []
        return [int(value) for block in found for value in block.samples[0]]

    async def recordings(self) -> list[str]:
        """Every recording of this device that has samples."""
        headers = {"Authorization": f"Bearer {self.scene.admin_token}"}
        params = {"device_id": str(self.device_id)}
        answer = await self.scene.http.get("/ecg/recordings", params=params, headers=headers)
        return [item["recording_id"] for item in answer.json()["items"]]

    async def only_good_is_stored(self, seconds: int) -> None:
        """The recording's first seconds come to be stored, and nothing else of this device is."""
        good = values(0, seconds * COUNT)[0].tolist()

        async def complete() -> bool:
            return len(await self.stored()) >= len(good)

        await wait_until(complete, f"{seconds} s of device {self.device_id}")
        assert await self.stored() == good
        assert await self.recordings() == [str(self.recording_id)]


def values(start: int, end: int) -> NDArray[np.int16]:
    """What every recording here holds at [start, end): int16 of shape (1, end - start)."""
    return np.arange(start, end, dtype=np.int16).reshape(1, -1)


def _headers(record: Record) -> dict[str, str]:
    return {name: value.decode() for name, value in record.headers}


def _origin(record: Record) -> Sent:
    told = _headers(record)
    assert told["topic"] == topics.SAMPLES
    return Sent(int(told["partition"]), int(told["offset"]))
