from __future__ import annotations

from uuid import UUID

import numpy as np

from bench.pipeline.load import SLICES, Signal, Virtual, sliced
from bench.pipeline.wire import BLOCK_US, RATE_HZ, DeviceWire
from ingest.simulation.strips import Strip
from schemas.codec import decode_pack
from schemas.samples import SampleBlock

COUNT = 3 * RATE_HZ + 100


def strip() -> Strip:
    samples = np.arange(COUNT, dtype=np.int16)[np.newaxis]
    return Strip("normal", float(RATE_HZ), ("II",), samples, np.array([5]), np.array([False]))


def device(phase: int = 0, started_at_us: int = 1_700_000_000_000_000) -> Virtual:
    wire = DeviceWire.of(UUID(int=1), UUID(int=2))
    return Virtual(UUID(int=2), wire, Signal.of(strip()), phase, started_at_us)


def seconds(virtual: Virtual, count: int) -> list[SampleBlock]:
    return [decode_pack(virtual.block(received_at_us=1))[0] for _ in range(count)]


def test_the_strip_goes_on_where_it_was_and_joins_its_own_end() -> None:
    sent = np.concatenate([block.samples[0] for block in seconds(device(phase=30), 10)])
    assert np.array_equal(sent, (30 + np.arange(10 * RATE_HZ)) % COUNT)


def test_a_block_is_dated_by_its_first_sample_however_late_it_is_sent() -> None:
    blocks = seconds(device(), 3)
    assert [block.first_index for block in blocks] == [0, RATE_HZ, 2 * RATE_HZ]
    assert [block.started_at_us - blocks[0].started_at_us for block in blocks] == [0, BLOCK_US, 2 * BLOCK_US]


def test_every_device_sends_in_one_slice_and_packs_keep_to_a_partition() -> None:
    devices = [(number % 3, device()) for number in range(50)]
    slices = sliced(devices)
    assert len(slices) == SLICES
    groups = [group for groups in slices for group in groups]
    sent = [(group.partition, id(member)) for group in groups for member in group.devices]
    assert sorted(sent) == sorted((partition, id(member)) for partition, member in devices)
