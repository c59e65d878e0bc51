"""The same samples as plain files: raw int16, gzip, and FLAC by record and by block of 10 s."""

from __future__ import annotations

import gzip
import io
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import numpy as np
import soundfile
from numpy.typing import NDArray

from bench.store.corpus import Corpus, Held, Window
from bench.store.timings import Spent, millions_a_second, quantiles_ms, spending

_FLAC_RATE_HZ: Final = 8000
"""FLAC wants some rate; it changes no byte of the samples."""


class Format(ABC):
    """A way to keep a record in files of a folder."""

    name: str

    @abstractmethod
    def write(self, folder: Path, held: Held) -> None:
        """Keep it."""

    @abstractmethod
    def read(self, folder: Path, held: Held, first: int, end: int) -> NDArray[np.int16]:
        """The samples [first, end) of all leads, shape (leads, count)."""


class Raw(Format):
    """int16, all leads of an instant together; a window is one seek."""

    name = "raw int16 files"

    def write(self, folder: Path, held: Held) -> None:
        (folder / held.name).write_bytes(np.ascontiguousarray(held.samples.T, "<i2").tobytes())

    def read(self, folder: Path, held: Held, first: int, end: int) -> NDArray[np.int16]:
        leads = len(held.samples)
        with (folder / held.name).open("rb") as file:
            file.seek(2 * leads * first)
            data = file.read(2 * leads * (end - first))
        return np.frombuffer(data, "<i2").reshape(-1, leads).T


class Gzip(Format):
    """The same through gzip at its usual level: a window needs everything before it."""

    name = "gzip files"

    def write(self, folder: Path, held: Held) -> None:
        with gzip.open(folder / held.name, "wb", compresslevel=6) as file:
            file.write(np.ascontiguousarray(held.samples.T, "<i2").tobytes())

    def read(self, folder: Path, held: Held, first: int, end: int) -> NDArray[np.int16]:
        leads = len(held.samples)
        with gzip.open(folder / held.name, "rb") as file:
            data = file.read(2 * leads * end)
        return np.frombuffer(data, "<i2").reshape(-1, leads).T[:, first:end]


class FlacRecord(Format):
    """One FLAC file for a record, as WFDB's format 516 keeps it."""

    name = "FLAC, one file per record"

    def write(self, folder: Path, held: Held) -> None:
        (folder / held.name).write_bytes(_flac(held.samples))

    def read(self, folder: Path, held: Held, first: int, end: int) -> NDArray[np.int16]:
        with soundfile.SoundFile(folder / held.name) as file:
            file.seek(first)
            return _leads_first(file.read(end - first, dtype="int16", always_2d=True))


class FlacBlocks(Format):
    """FLAC by block of 10 s, the blocks of a record one after the other in a file, with their ends beside it."""

    name = "FLAC, blocks of 10 s"

    def write(self, folder: Path, held: Held) -> None:
        size = held.stretch_samples
        coded = [_flac(held.samples[:, first : first + size]) for first in range(0, held.count, size)]
        (folder / held.name).write_bytes(b"".join(coded))
        ends = np.cumsum([0, *map(len, coded)]).astype("<u4")
        (folder / f"{held.name}.ends").write_bytes(ends.tobytes())

    def read(self, folder: Path, held: Held, first: int, end: int) -> NDArray[np.int16]:
        size = held.stretch_samples
        ends = np.frombuffer((folder / f"{held.name}.ends").read_bytes(), "<u4")
        blocks = range(first // size, -(-end // size))
        with (folder / held.name).open("rb") as file:
            file.seek(int(ends[blocks.start]))
            data = file.read(int(ends[blocks.stop] - ends[blocks.start]))
        cuts = (ends[blocks.start : blocks.stop + 1] - ends[blocks.start]).tolist()
        parts = [_unflac(data[begin:stop]) for begin, stop in pairwise(cuts)]
        skipped = blocks.start * size
        return np.concatenate(parts, axis=1)[:, first - skipped : end - skipped]


FORMATS: Final[tuple[Format, ...]] = (Raw(), Gzip(), FlacRecord(), FlacBlocks())


def measure(kept: Format, corpus: Corpus, chosen: Sequence[Window], folder: Path) -> Mapping[str, Any]:
    """Write, windows and everything, in an empty folder; files are closed and not forced to the disk.

    Raises ValueError for samples that differ.
    """
    folder.mkdir(parents=True)
    with spending() as writing:
        for held in corpus.held:
            kept.write(folder, held)
    size = sum(path.stat().st_size for path in folder.iterdir())
    reading = Spent()
    for held in corpus.held:
        with spending(into=reading):
            found = kept.read(folder, held, 0, held.count)
        _check(found, held.samples, held)
    return {
        "bits_per_sample": round(8 * size / corpus.samples, 3),
        "write_m_samples_per_s": millions_a_second(corpus.samples, writing.wall_s),
        "windows": _windows(kept, chosen, folder),
        "bulk_m_samples_per_s": millions_a_second(corpus.samples, reading.wall_s),
        "bulk_m_samples_per_core_s": millions_a_second(corpus.samples, reading.client_cpu_s),
    }


def _windows(kept: Format, chosen: Sequence[Window], folder: Path) -> Mapping[str, Any]:
    taken_s = []
    for window in chosen:
        started_s = time.perf_counter()
        samples = kept.read(folder, window.held, window.first, window.end)
        taken_s.append(time.perf_counter() - started_s)
        _check(samples, window.samples, window.held)
    return quantiles_ms(taken_s)


def _check(found: NDArray[np.int16], wanted: NDArray[np.int16], held: Held) -> None:
    if not np.array_equal(found, wanted):
        raise ValueError(f"{held.name} came back changed")


def _flac(samples: NDArray[np.int16]) -> bytes:
    buffer = io.BytesIO()
    with soundfile.SoundFile(
        buffer, "w", _FLAC_RATE_HZ, len(samples), subtype="PCM_16", format="FLAC", compression_level=1.0
    ) as file:
        file.write(np.ascontiguousarray(samples.T))
    return buffer.getvalue()


def _unflac(data: bytes) -> NDArray[np.int16]:
    with soundfile.SoundFile(io.BytesIO(data)) as file:
        return _leads_first(file.read(dtype="int16", always_2d=True))


def _leads_first(frames: NDArray[np.int16]) -> NDArray[np.int16]:
    return frames.T
