"""The fast engine: numba kernels over slots, one for each device and for each of its leads."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from processors.ecg.interface import Step
from processors.ecg.plan import Plan
from processors.ecg.slots import SlotTable
from processors.ecg.snapshot import pack, unpack
from schemas.samples import SampleBlock

VERSION: Final = "fast-4"


class FastEngine:
    """Engine (see interface.py): causal, any block length, any rate from 100 to 1000 Hz, 1 to 12 leads.

    A beat is decided 0.64 s after its R peak, 0.95 s when search-back finds it, and measured 0.74 s after it at the
    earliest; a metrics row comes with the end of the second after its own. In the first 2 s of a recording (and after a
    gap of more than 30 s) levels are learned and everything waits for the end of that time.
    """

    version = VERSION

    def new_state(self) -> SlotTable:
        return SlotTable()

    def step(self, blocks: Sequence[SampleBlock], state: SlotTable) -> Step[SlotTable]:
        plan = Plan(state)
        for block in blocks:
            plan.take(block)
        return Step(plan.run(VERSION), state)

    def close(self, device_ids: Sequence[UUID], state: SlotTable) -> Step[SlotTable]:
        plan = Plan(state)
        for device_id in device_ids:
            plan.end(device_id)
        return Step(plan.run(VERSION), state)

    def copy(self, state: SlotTable) -> SlotTable:
        return state.copy()

    def dump(self, state: SlotTable) -> bytes:
        return pack(state, VERSION)

    def load(self, data: bytes) -> SlotTable:
        return unpack(data, VERSION)
