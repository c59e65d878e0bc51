"""An hour's samples to files in the object store and back, each way checked."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final
from uuid import UUID

import numpy as np

from schemas.clock import index_to_us, to_datetime
from schemas.errors import Busy, Malformed, NotFound
from schemas.files import OCTET_STREAM
from schemas.samples import Recording
from storage.archive_hours import Hour
from storage.archive_records import ArchivedFile, ArchivedHour, ArchivedPart, HotState, archived_file
from storage.archive_spans import HeldSamples, owned
from storage.archive_wfdb import (
    BeatMark,
    Part,
    beat_annotations,
    header,
    parts_of,
    read_signals,
    signal_files,
    signal_names,
)
from storage.object_keys import archive_record_key
from storage.objects import Objects

_TEXT: Final = "text/plain"


class Written:
    """An hour made into files: the bytes by key, and what the index is to say of them."""

    def __init__(self, hour: Hour, generation: int, held: Sequence[HeldSamples]) -> None:
        self.hour = hour
        self.generation = generation
        self.held = held
        self.parts = parts_of(held, hour.recording.rate_hz)
        self.files: dict[str, bytes] = {}
        self.archived: list[ArchivedPart] = []

    def build(self, beats: Sequence[BeatMark], engine: str | None) -> Written:
        """All files of all parts; takes a core for tens of milliseconds."""
        for number, part in enumerate(self.parts):
            self._build_part(number, part, beats, engine)
        return self

    def _build_part(self, number: int, part: Part, beats: Sequence[BeatMark], engine: str | None) -> None:
        recording = self.hour.recording
        base = archive_record_key(
            recording.device_id, recording.recording_id, self.hour.hour_at, self.generation, number
        )
        folder, name = base.rsplit("/", 1)
        made = {f"{base}.hea": header(name, recording, part, engine)}
        names = signal_names(name, len(recording.leads))
        made |= {f"{folder}/{each}": data for each, data in zip(names, signal_files(part), strict=True)}
        made[f"{base}.atr"] = beat_annotations(part, beats)
        files = tuple(archived_file(key, data) for key, data in made.items())
        self.archived.append(ArchivedPart(base, part.first_index, part.end_index, part.spans, files))
        self.files |= made

    def indexed(self, hot: HotState) -> ArchivedHour:
        """As the index is to have it."""
        rate_hz = self.hour.recording.rate_hz
        spans = [each.span for each in self.held]
        return ArchivedHour(
            recording_id=self.hour.recording.recording_id,
            device_id=self.hour.recording.device_id,
            hour_at=self.hour.hour_at,
            generation=self.generation,
            started_at=to_datetime(min(span.started_at_us for span in spans)),
            ended_at=to_datetime(max(span.started_at_us + index_to_us(span.count, rate_hz) for span in spans)),
            hot=hot,
            parts=tuple(self.archived),
        )


async def put(store: Objects, written: Written) -> None:
    """Put every file; the keys say what they hold, so a second time does no harm. Raises Busy."""
    for key, data in written.files.items():
        await store.put(key, data, _TEXT if key.endswith(".hea") else OCTET_STREAM)


async def check(store: Objects, written: Written) -> None:
    """Read every file back, and compare its bytes, and the samples in it with those it was made of.

    Raises Busy when something else came back: then it is put again.
    """
    for archived in written.archived:
        data = {file.key: await fetch(store, file) for file in archived.files}
        await asyncio.to_thread(_compare, archived, [data[file.key] for file in archived.signals], written)


def _compare(archived: ArchivedPart, data: Sequence[bytes], written: Written) -> None:
    samples, spans = read_signals(data), set(archived.spans)
    for each in owned(held for held in written.held if held.span in spans):
        begin = each.span.first_index - archived.first_index
        if not np.array_equal(samples[:, begin : begin + each.span.count], each.samples):
            raise Busy(f"{archived.name} holds other samples than were put there; it will be written again")


async def fetch(store: Objects, file: ArchivedFile) -> bytes:
    """A file of the archive. Raises NotFound, Busy when it is not what was put there."""
    try:
        data = await store.get(file.key)
    except Malformed as error:
        raise Busy(f"{error} (leadwire archive verify)") from error
    if not file.holds(data):
        raise Busy(f"{file.key} is damaged in the object store; restore it from a backup (leadwire archive verify)")
    return data


async def read_part(store: Objects, part: ArchivedPart, recording: Recording) -> list[HeldSamples]:
    """The stretches of a part with their samples. Raises NotFound, Busy when a file is damaged."""
    samples = await read_canvas(store, part, len(recording.leads))
    return [
        HeldSamples(span, samples[:, span.first_index - part.first_index : span.end_index - part.first_index])
        for span in part.spans
    ]


async def read_canvas(
    store: Objects, part: ArchivedPart, leads: int
) -> np.ndarray[tuple[int, int], np.dtype[np.int16]]:
    """The samples of a part, int16 of shape (leads, count). Raises NotFound, Busy when a file is damaged."""
    data = await asyncio.gather(*(fetch(store, file) for file in part.signals))
    try:
        samples = await asyncio.to_thread(read_signals, data)
    except ValueError as error:
        raise Busy(str(error)) from error
    if samples.shape != (leads, part.end_index - part.first_index):
        raise Busy(f"{part.name} holds {samples.shape} samples; restore it from a backup (leadwire archive verify)")
    return samples


async def read_back(store: Objects, hour: ArchivedHour, recording: Recording) -> list[HeldSamples]:
    """All stretches of an archived hour. Raises NotFound, Busy when a file is damaged."""
    return [held for part in hour.parts for held in await read_part(store, part, recording)]


def missing(recording_id: UUID, error: NotFound) -> Busy:
    """Samples that were stored can't be had: never an answer that is shorter than it should be."""
    return Busy(f"archived samples of recording {recording_id} can't be read now ({error})")
