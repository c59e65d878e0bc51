"""What is stored: the records of a database as recordings, and the stretches of 10 s that a worker cuts them into."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Final
from uuid import UUID, uuid5

import numpy as np
from numpy.typing import NDArray

from bench.accuracy.records import blocks, data_folder, read_record
from schemas.clock import index_to_us, to_us
from schemas.samples import Recording, WaveformStretch

STRETCH_S: Final = 10.0
BATCH: Final = 500
"""Stretches of one transaction: what 5,000 devices complete in a second."""
DATABASES: Final = ("mitdb", "qtdb")
MADE: Final = "made"
"""A corpus without a database: for a first try, and for the tests."""
_NAMES: Final = UUID("6c656164-7769-4265-8e00-73746f726500")


@dataclass(frozen=True, slots=True)
class Held:
    """A record and the recording it becomes: int16 `samples` of shape (leads, count)."""

    name: str
    recording: Recording
    samples: NDArray[np.int16]

    @property
    def count(self) -> int:
        """Samples per lead."""
        return int(self.samples.shape[1])

    @property
    def stretch_samples(self) -> int:
        """Samples per lead of a stretch."""
        return round(self.recording.rate_hz * STRETCH_S)


@dataclass(frozen=True, slots=True)
class Corpus:
    """Records that are stored together, as if all had been recorded at the same time."""

    name: str
    held: tuple[Held, ...]

    @property
    def samples(self) -> int:
        """All leads together."""
        return sum(each.samples.size for each in self.held)


@dataclass(frozen=True, slots=True)
class Window:
    """Samples [first, end) of all leads of one record."""

    held: Held
    first: int
    end: int

    @property
    def samples(self) -> NDArray[np.int16]:
        """What must come back."""
        return self.held.samples[:, self.first : self.end]


def load(name: str, records: int | None = None) -> Corpus:
    """A database of the data folder, or its first `records`. Raises FileNotFoundError when it is not there."""
    if name == MADE:
        return made(records or 4)
    folder = data_folder() / name
    if not folder.is_dir():
        raise FileNotFoundError(f"no records at {folder}; set LEADWIRE_TEST_DATA to the folder that holds {name}")
    found = [read_record(folder / each) for each in sorted(path.stem for path in folder.glob("*.hea"))[:records]]
    like = [next(blocks(record)) for record in found]  # it names the leads as a device has to
    return Corpus(
        name,
        tuple(
            Held(
                record.name, _recording(name, record.name, block.rate_hz, block.leads, block.uv_per_lsb), record.samples
            )
            for record, block in zip(found, like, strict=True)
        ),
    )


def made(records: int, seconds: float = 60.0, rate_hz: float = 250.0, seed: int = 1) -> Corpus:
    """A corpus of two leads that wander; the same for the same arguments."""
    chance = np.random.default_rng(seed)
    steps = chance.normal(0, 6, (records, 2, round(seconds * rate_hz)))
    samples = np.clip(np.cumsum(steps, axis=2), -5000, 5000).astype(np.int16)
    names = [f"{MADE}-{number}" for number in range(records)]
    return Corpus(
        MADE,
        tuple(
            Held(name, _recording(MADE, name, rate_hz, ("II", "V1"), (2.5, 2.5)), one)
            for name, one in zip(names, samples, strict=True)
        ),
    )


def _recording(database: str, name: str, rate_hz: float, leads: tuple[str, ...], gains: tuple[float, ...]) -> Recording:
    return Recording(
        recording_id=uuid5(_NAMES, f"{database}/{name}"),
        device_id=uuid5(_NAMES, f"{database}/{name}/device"),
        user_id=None,
        started_at_us=to_us(_yesterday_noon()),
        rate_hz=rate_hz,
        leads=leads,  # type: ignore[arg-type]  # checked where the record was cut into blocks
        uv_per_lsb=gains,
    )


def _yesterday_noon() -> datetime:
    """Half an hour from there lies in one chunk, and too near for retention."""
    return datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0) - timedelta(days=1)


def live(corpus: Corpus) -> Iterator[WaveformStretch]:
    """Every stretch in the order devices that record together complete them: all firsts, then all seconds, ..."""
    longest = max(-(-each.count // each.stretch_samples) for each in corpus.held)
    for step in range(longest):
        for held in corpus.held:
            first = step * held.stretch_samples
            if first < held.count:
                yield stretch(held, first, min(held.count, first + held.stretch_samples))


def stretch(held: Held, first: int, end: int) -> WaveformStretch:
    """The samples [first, end) as a worker gives them to the store."""
    recording = held.recording
    return WaveformStretch(
        recording_id=recording.recording_id,
        device_id=recording.device_id,
        first_index=first,
        started_at_us=recording.started_at_us + index_to_us(first, recording.rate_hz),
        rate_hz=recording.rate_hz,
        leads=recording.leads,
        uv_per_lsb=recording.uv_per_lsb,
        samples=held.samples[:, first:end],
    )


def in_batches(stretches: Iterable[WaveformStretch], size: int = BATCH) -> Iterator[list[WaveformStretch]]:
    """So many at a time; the last may be shorter."""
    rest = iter(stretches)
    while batch := list(islice(rest, size)):
        yield batch


def windows(corpus: Corpus, count: int, seed: int = 7) -> list[Window]:
    """Random windows of 10 s: any record, any place in it; the same for everything that is measured."""
    chance = np.random.default_rng(seed)
    chosen = []
    for _ in range(count):
        held = corpus.held[int(chance.integers(len(corpus.held)))]
        length = min(held.stretch_samples, held.count)
        first = int(chance.integers(held.count - length + 1))
        chosen.append(Window(held, first, first + length))
    return chosen


def joined(stretches: Sequence[WaveformStretch]) -> NDArray[np.int16]:
    """The samples of stretches that follow one another, shape (leads, count). Raises ValueError for a gap or none."""
    ends = [each.first_index + each.samples.shape[1] for each in stretches]
    if not stretches or any(each.first_index != end for each, end in zip(stretches[1:], ends, strict=False)):
        raise ValueError("the stretches that were read don't follow one another; some were not stored")
    whole = stretches[0].samples.base
    if whole is not None and whole.shape == (len(stretches[0].samples), ends[-1] - stretches[0].first_index):
        return whole  # what is read is decoded into one array, of which the stretches show parts
    return np.concatenate([each.samples for each in stretches], axis=1)


def digest(samples: Mapping[UUID, NDArray[np.int16]]) -> str:
    """SHA-256 over all recordings by their id: shape, then every sample."""
    told = hashlib.sha256()
    for recording_id in sorted(samples, key=lambda each: each.bytes):
        one = samples[recording_id]
        told.update(recording_id.bytes + repr(one.shape).encode() + np.ascontiguousarray(one, "<i2").tobytes())
    return told.hexdigest()
