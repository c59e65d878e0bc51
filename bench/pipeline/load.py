"""The load generator: virtual devices that publish one-second blocks in real time and note what was acknowledged."""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import resource
import sys
import time
from dataclasses import dataclass
from typing import Final
from uuid import UUID

import numpy as np
import uvloop
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from bench.pipeline.wire import BLOCK_US, RATE_HZ, DeviceWire
from ingest.simulation.strips import Rhythm, Strip, make_bank
from schemas import topics
from schemas.clock import now_us
from schemas.settings import KafkaSettings, Settings

SLICES: Final = 20
"""Each second is cut into slices; a device sends in one of them, so the flow is as even as a fleet's."""
RHYTHMS: Final[tuple[Rhythm, ...]] = ("normal", "atrial_fibrillation", "pvc")

_BLOCK_BYTES: Final = 2 * RATE_HZ
_STAGGER: Final = 37
"""Samples that each device is ahead of the one before, so that they don't all beat at once."""
_RETRY_S: Final = 0.2
_GIVE_UP_S: Final = 120.0
_REQUEST_MS: Final = 10_000


@dataclass(frozen=True, slots=True)
class Signal:
    """A strip as bytes, its first second once more behind its end: it joins itself, so no block has a jump in it."""

    samples: bytes
    count: int

    @classmethod
    def of(cls, strip: Strip) -> Signal:
        lead = strip.samples[0]
        return cls(np.concatenate([lead, lead[:RATE_HZ]]).astype("<i2").tobytes(), strip.count)

    def second(self, first: int) -> bytes:
        at = 2 * (first % self.count)
        return self.samples[at : at + _BLOCK_BYTES]


@dataclass(slots=True)
class Virtual:
    """One device: what it sends, where it is in it, and how many samples Kafka has acknowledged."""

    recording_id: UUID
    wire: DeviceWire
    signal: Signal
    phase: int
    started_at_us: int = 0
    sent: int = 0
    acknowledged: int = 0

    def block(self, received_at_us: int) -> bytes:
        """The next second. It starts when its first sample was due, however late it is sent."""
        started_at_us = self.started_at_us + self.sent // RATE_HZ * BLOCK_US
        block = self.wire.block(self.sent, started_at_us, self.signal.second(self.phase + self.sent), received_at_us)
        self.sent += RATE_HZ
        return block


@dataclass(frozen=True, slots=True)
class Group:
    """Devices of one partition that send in the same slice of a second: one pack."""

    partition: int
    key: bytes
    devices: tuple[Virtual, ...]


@dataclass(slots=True)
class Pace:
    """How well the generator kept its own time, and what it cost."""

    latest_s: float = 0.0
    retries: int = 0
    began_us: int = 0
    cpu_s: float = 0.0


class Generator:
    """Sends each group's pack when its second is over, whatever became of the one before."""

    def __init__(self, producer: AIOKafkaProducer, slices: list[list[Group]]) -> None:
        self._producer = producer
        self._slices = slices
        self.pace = Pace()

    async def run(self, seconds: int) -> None:
        """Returns when everything is acknowledged. Raises KafkaError when the broker stays away."""
        begun_s, self.pace.began_us = time.monotonic(), now_us()
        cpu_before_s = time.process_time()
        for number, groups in enumerate(self._slices):
            for device in (device for group in groups for device in group.devices):
                device.started_at_us = self.pace.began_us + number * BLOCK_US // SLICES
        async with asyncio.TaskGroup() as sending:
            for tick in range(seconds * SLICES):
                due_s = begun_s + 1 + tick / SLICES
                await asyncio.sleep(max(0.0, due_s - time.monotonic()))
                self.pace.latest_s = max(self.pace.latest_s, time.monotonic() - due_s)
                sending.create_task(self._send_all(self._slices[tick % SLICES]))
        self.pace.cpu_s = time.process_time() - cpu_before_s

    async def _send_all(self, groups: list[Group]) -> None:
        received_at_us = now_us()
        packs = [b"".join([device.block(received_at_us) for device in group.devices]) for group in groups]
        await asyncio.gather(*(self._send(group, pack) for group, pack in zip(groups, packs, strict=True)))

    async def _send(self, group: Group, pack: bytes) -> None:
        deadline_s = time.monotonic() + _GIVE_UP_S
        while True:
            try:
                await self._producer.send_and_wait(topics.SAMPLES, pack, key=group.key, partition=group.partition)
                break
            except KafkaError:
                if time.monotonic() > deadline_s:
                    raise
                self.pace.retries += 1
                await asyncio.sleep(_RETRY_S)
        for device in group.devices:
            device.acknowledged += RATE_HZ


def sliced(devices: list[tuple[int, Virtual]], singly: bool = False) -> list[list[Group]]:
    """For each slice of a second the groups of devices that share a partition; with `singly` each device alone."""
    slices: list[list[Group]] = []
    for number in range(SLICES):
        if singly:
            slices.append(
                [Group(p, str(device.recording_id).encode(), (device,)) for p, device in devices[number::SLICES]]
            )
            continue
        by_partition: dict[int, list[Virtual]] = {}
        for partition, device in devices[number::SLICES]:
            by_partition.setdefault(partition, []).append(device)
        slices.append([Group(p, str(p).encode(), tuple(members)) for p, members in by_partition.items()])
    return slices


async def drive(told: list[dict[str, str]], seconds: int, singly: bool) -> dict[str, object]:
    """Send `seconds` blocks for each device; the books and the pace as plain JSON."""
    signals = await asyncio.to_thread(_signals)
    producer = _producer(Settings().kafka)
    await producer.start()
    try:
        partitions = len(await producer.partitions_for(topics.SAMPLES))
        devices = [_virtual(each, number, signals, partitions) for number, each in enumerate(told)]
        generator = Generator(producer, sliced(devices, singly))
        await generator.run(seconds)
    finally:
        await producer.stop()
    pace = generator.pace
    return {
        "acknowledged": {str(device.recording_id): device.acknowledged for _, device in devices},
        "began_us": pace.began_us,
        "cpu_s": pace.cpu_s,
        "latest_s": pace.latest_s,
        "retries": pace.retries,
        "peak_rss_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
    }


def _producer(settings: KafkaSettings) -> AIOKafkaProducer:
    return AIOKafkaProducer(
        bootstrap_servers=settings.bootstrap,
        acks="all",
        enable_idempotence=settings.idempotent,
        request_timeout_ms=_REQUEST_MS,
        max_batch_size=2**20,
        linger_ms=0,
    )


def _signals() -> list[Signal]:
    bank = make_bank(rhythms=RHYTHMS, rate_hz=float(RATE_HZ))
    return [Signal.of(strip) for strips in bank.values() for strip in strips]


def _virtual(told: dict[str, str], number: int, signals: list[Signal], partitions: int) -> tuple[int, Virtual]:
    device_id, recording_id = UUID(told["device_id"]), UUID(told["recording_id"])
    wire = DeviceWire.of(device_id, recording_id)
    device = Virtual(recording_id, wire, signals[number % len(signals)], number * _STAGGER)
    return topics.partition_of(device_id, partitions), device


def main() -> None:
    """Read devices (JSON lines: device_id, recording_id) from standard input, print books and pace as JSON."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--seconds", type=int, required=True)
    arguments.add_argument("--singly", action="store_true", help="a record for each block, not packs")
    wanted = arguments.parse_args()
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # a line for every try while the broker restarts
    told = [json.loads(line) for line in sys.stdin]
    print(json.dumps(uvloop.run(drive(told, wanted.seconds, wanted.singly))))


if __name__ == "__main__":
    main()
