"""An engine that can't read the state of the one before reads the last seconds again, and goes on."""

from __future__ import annotations

import numpy as np

from bench.signal import synthetic_ecg
from processors.ecg.engine import FastEngine
from processors.partitions import Partition
from processors.rows import beats
from processors.sinks import Rows
from schemas.samples import SampleBlock

from .fakes import PARTITIONS, block, device_on, owner, record

HOME = 1
DEVICE = device_on(HOME)
ECG = np.rint(synthetic_ecg(60)).astype(np.int16).reshape(1, -1)


class NewEngine(FastEngine):
    """The same reckoning under another name, as the next version is at first."""

    version = "fast-next"

    def load(self, data: bytes) -> object:  # type: ignore[override]  # it never returns
        return super().load(b"fast-next " + data)


def second(number: int) -> SampleBlock:
    at = 250 * number
    return block(DEVICE, at, uv_per_lsb=(5.0,), samples=ECG[:, at : at + 250])


def run(partition: Partition, first: int, end: int) -> Rows:
    decoded, _ = partition.decode([record(number, second(number)) for number in range(first, end)])
    return partition.take(decoded, {DEVICE: owner(DEVICE)}, end - 1).rows


def peaks(rows: Rows) -> list[int]:
    return [beat.r_index for each in rows.decided for beat in beats(each.results)]


def test_no_beat_is_lost_or_told_twice_when_another_engine_takes_over() -> None:
    whole = peaks(run(Partition(HOME, PARTITIONS, FastEngine(), 10.0), 0, 50))
    before = Partition(HOME, PARTITIONS, FastEngine(), 10.0)
    first = peaks(run(before, 0, 23))
    after = Partition.restore(HOME, PARTITIONS, NewEngine(), 10.0, before.checkpoint())
    assert sorted([*first, *peaks(run(after, 23, 50))]) == whole
