"""The state that a worker's checkpoints hold: that of a partition whose devices have sent for some seconds."""

from __future__ import annotations

import numpy as np

from bench.store.fleet import LEADS, RATE_HZ, Fleet
from processors.ecg.engines import engine
from processors.partitions import Partition, ReceivedBlock, Record
from schemas.samples import SampleBlock
from storage.devices import DeviceOwner

_SECONDS = 15


def partition_state(fleet: Fleet, devices: int) -> bytes:
    """The bytes of a checkpoint of so many devices, by the engine that workers use; some seconds to make."""
    partition = Partition(0, 1, engine("fast"), 10.0)
    owners = {one.device_id: DeviceOwner(one.device_id, None, True) for one in fleet.sources[:devices]}
    for second in range(_SECONDS):
        record = Record(second, 0, None, b"")
        partition.take([ReceivedBlock(record, _block(fleet, n, second)) for n in range(devices)], owners, second)
    return partition.checkpoint().state


def _block(fleet: Fleet, device: int, second: int) -> SampleBlock:
    like = fleet.stretch(device, 0)
    first = second * RATE_HZ
    place = (first + device * RATE_HZ) % (fleet.bank.shape[1] - RATE_HZ)
    return SampleBlock(
        device_id=like.device_id,
        recording_id=like.recording_id,
        first_index=first,
        started_at_us=like.started_at_us + second * 1_000_000,
        rate_hz=RATE_HZ,
        leads=LEADS,
        uv_per_lsb=like.uv_per_lsb,
        samples=np.ascontiguousarray(fleet.bank[:, place : place + RATE_HZ]),
        received_at_us=like.started_at_us + second * 1_000_000,
    )
