"""The load generator: virtual devices that publish one-second blocks in real time and note what was acknowledged."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time
from dataclasses import dataclass
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from ingest.producer import SampleProducer
from ingest.simulation.strips import make_bank
from schemas.clock import now_us
from schemas.errors import Busy
from schemas.samples import SampleBlock
from schemas.settings import Settings

RATE_HZ = 250
SLICES = 20
"""Each second is cut into slices; a device sends in one of them, so the flow is as even as a fleet's."""


@dataclass(slots=True)
class Virtual:
    """One device: its ids, where it is in the shared strip, and what Kafka has acknowledged."""

    device_id: UUID
    recording_id: UUID
    offset: int
    started_at_us: int = 0
    sent: int = 0
    acknowledged: int = 0


async def run(devices: list[Virtual], seconds: int) -> None:
    """Send `seconds` blocks for each device, on time or as soon after as Kafka takes them."""
    bank = await asyncio.to_thread(make_bank, rhythms=("normal", "atrial_fibrillation", "pvc"), rate_hz=float(RATE_HZ))
    strips = [strip.samples for group in bank.values() for strip in group]
    producer = SampleProducer(Settings().kafka)
    await producer.start()
    slices = [devices[number::SLICES] for number in range(SLICES)]
    begun_s, begun_us = time.monotonic(), now_us()
    for device_slice, number in ((device_slice, number) for number, device_slice in enumerate(slices)):
        for device in device_slice:
            device.started_at_us = begun_us + number * 1_000_000 // SLICES
    pending: set[asyncio.Task[None]] = set()
    for tick in range(seconds * SLICES):
        due_s = begun_s + 1 + tick / SLICES
        await asyncio.sleep(max(0.0, due_s - time.monotonic()))
        task = asyncio.create_task(_send(producer, slices[tick % SLICES], strips))
        pending.add(task)
        task.add_done_callback(pending.discard)
    await asyncio.gather(*pending)
    await producer.stop()


async def _send(producer: SampleProducer, devices: list[Virtual], strips: list[NDArray[np.int16]]) -> None:
    blocks = [_block(device, strips) for device in devices]
    while blocks:
        try:
            await producer.send(blocks)
            break
        except Busy:
            await asyncio.sleep(0.2)
    for device, block in zip(devices, blocks, strict=True):
        device.acknowledged = max(device.acknowledged, block.end_index)


def _block(device: Virtual, strips: list[NDArray[np.int16]]) -> SampleBlock:
    strip = strips[device.offset % len(strips)]
    at = (device.offset * 37 + device.sent) % (strip.shape[1] - RATE_HZ)
    block = SampleBlock(
        device_id=device.device_id,
        recording_id=device.recording_id,
        first_index=device.sent,
        started_at_us=device.started_at_us + device.sent * 1_000_000 // RATE_HZ,
        rate_hz=float(RATE_HZ),
        leads=("II",),
        uv_per_lsb=(2.5,),
        samples=strip[:, at : at + RATE_HZ],
        received_at_us=now_us(),
    )
    device.sent += RATE_HZ
    return block


def main() -> None:
    """Read devices (JSON lines: device_id, recording_id) from standard input, print the ledger as JSON."""
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--seconds", type=int, required=True)
    seconds = arguments.parse_args().seconds
    told = [json.loads(line) for line in sys.stdin]
    devices = [Virtual(UUID(d["device_id"]), UUID(d["recording_id"]), number) for number, d in enumerate(told)]
    asyncio.run(run(devices, seconds))
    print(json.dumps({str(device.recording_id): device.acknowledged for device in devices}))


if __name__ == "__main__":
    main()
