"""What can be played as a live device: a source of sample blocks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from ingest.files.channels import Steps, name_leads
from schemas.clock import index_to_us
from schemas.errors import Malformed
from schemas.samples import MAX_BLOCK_S, MAX_RATE_HZ, MIN_RATE_HZ, Lead, SampleBlock


@dataclass(frozen=True, slots=True)
class Take:
    """One acquisition of a source: whose it is, what it is called, and when it began (device clock)."""

    device_id: UUID
    recording_id: UUID
    started_at_us: int


class Source(Protocol):
    """What can be played as a live device: a recording, or a virtual patient. Shapes are (leads, count)."""

    @property
    def name(self) -> str: ...
    @property
    def rate_hz(self) -> float: ...
    @property
    def count(self) -> int | None:
        """Samples per lead, or None when it never ends."""
        ...

    def blocks(self, take: Take, *, block_s: float = 1.0, first_index: int = 0) -> Iterator[SampleBlock]:
        """Blocks of `block_s` from `first_index` on (the last may be shorter), in order; indexes may have gaps."""
        ...


@dataclass(frozen=True, slots=True)
class RecordSource:
    """A recording: int16 `samples` (leads, count), 0 = 0 mV; `notes` say what is not exactly as in the file."""

    name: str
    rate_hz: float
    leads: tuple[Lead, ...]
    uv_per_lsb: tuple[float, ...]
    samples: NDArray[np.int16]
    notes: tuple[str, ...] = ()

    @property
    def count(self) -> int:
        return int(self.samples.shape[1])

    @property
    def duration_s(self) -> float:
        return self.count / self.rate_hz

    def blocks(self, take: Take, *, block_s: float = 1.0, first_index: int = 0) -> Iterator[SampleBlock]:
        """Blocks of `block_s` from `first_index` to the end. Raises Malformed for a block length not allowed."""
        step = samples_per_block(block_s, self.rate_hz)
        for index in range(first_index, self.count, step):
            yield SampleBlock(
                device_id=take.device_id,
                recording_id=take.recording_id,
                first_index=index,
                started_at_us=take.started_at_us + index_to_us(index, self.rate_hz),
                rate_hz=self.rate_hz,
                leads=self.leads,
                uv_per_lsb=self.uv_per_lsb,
                samples=self.samples[:, index : index + step],
            )


def samples_per_block(block_s: float, rate_hz: float) -> int:
    """Samples per lead in a block of `block_s`. Raises Malformed outside 40 ms to 60 s."""
    if not 0.04 <= block_s <= MAX_BLOCK_S:
        raise Malformed(f"block_s is {block_s:g}; choose 0.04 to {MAX_BLOCK_S:g} seconds")
    return max(1, int(block_s * rate_hz + 1e-6))


def source_of(
    name: str, rate_hz: float, channel_names: Sequence[str], channel: Callable[[int], Steps], notes: Sequence[str] = ()
) -> RecordSource:
    """A RecordSource of the channels that can be leads; `channel(i)` gives the i-th one's steps. Raises Malformed."""
    if not MIN_RATE_HZ <= rate_hz <= MAX_RATE_HZ:
        raise Malformed(f"{name} has {rate_hz:g} Hz; resample it to {MIN_RATE_HZ:g} to {MAX_RATE_HZ:g} Hz")
    named = name_leads(channel_names)
    steps = [channel(index) for index in named.channels]
    if not steps or not len(steps[0].samples):
        raise Malformed(f"{name} holds no ECG sample; choose a recording with a signal in volts")
    return RecordSource(
        name=name,
        rate_hz=rate_hz,
        leads=named.leads,
        uv_per_lsb=tuple(step.uv_per_lsb for step in steps),
        samples=np.stack([step.samples for step in steps]),
        notes=(*notes, *named.notes, *(step.note for step in steps if step.note)),
    )
