from __future__ import annotations

from uuid import UUID

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from bench.pipeline.wire import RATE_HZ, UV_PER_LSB, DeviceWire
from schemas.codec import decode_pack

DEVICE, RECORDING = UUID(int=7), UUID(int=9)


@given(st.lists(st.integers(0, 10**9), min_size=1, max_size=4), st.binary(min_size=500, max_size=500))
def test_a_pack_written_by_hand_reads_as_any_other(indices: list[int], samples: bytes) -> None:
    wire = DeviceWire.of(DEVICE, RECORDING)
    pack = b"".join(wire.block(index, 1_700_000_000_000_000 + index, samples, 5) for index in indices)
    blocks = decode_pack(pack)
    assert [block.first_index for block in blocks] == indices
    assert [block.started_at_us - 1_700_000_000_000_000 for block in blocks] == indices
    assert {(b.device_id, b.recording_id, b.rate_hz, b.leads, b.uv_per_lsb) for b in blocks} == {
        (DEVICE, RECORDING, float(RATE_HZ), ("II",), (UV_PER_LSB,))
    }
    assert all(np.array_equal(block.samples[0], np.frombuffer(samples, "<i2")) for block in blocks)
