"""WFDB records of an hour: header, FLAC signal files (format 516) and annotations as bytes, and back; pure."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from schemas.beats import BeatClass
from schemas.clock import to_datetime
from schemas.samples import MISSING, Recording
from storage.archive_spans import HeldSamples, Span

MAX_PART_S: Final = 7200
"""A record is no longer: what lies further apart in an hour, by indices that jump, goes into records of its own."""

_CHANNELS: Final = 8
"""FLAC has no more in one file."""

_FLAC_RATE: Final = 96_000
"""What WFDB writes into every FLAC file: those files know no fractions; the rate stands in the header."""

_COMPRESSION: Final = 1.0
"""The strongest: 3 to 5 % smaller than the default, for good, at 50 M samples/s instead of 90."""

_SYMBOLS: Final[dict[BeatClass, int]] = {"N": 1, "S": 9, "V": 5, "F": 6, "Q": 13}
"""Annotation codes of WFDB (ecgcodes.h) for the classes of AAMI EC57."""

_SKIP: Final = 59
_FARTHEST: Final = 1023


@dataclass(frozen=True, slots=True)
class Part:
    """Samples in one piece: int16 of shape (leads, count) from `first_index`, MISSING where no span lies."""

    first_index: int
    spans: tuple[Span, ...]
    samples: NDArray[np.int16]

    @property
    def end_index(self) -> int:
        return self.first_index + int(self.samples.shape[1])


@dataclass(frozen=True, slots=True)
class BeatMark:
    """Where a beat's R is, and its class."""

    r_index: int
    beat_class: BeatClass


def parts_of(held: Sequence[HeldSamples], rate_hz: float) -> list[Part]:
    """The stretches in as few pieces as MAX_PART_S allows; where some overlap, the first in order is kept."""
    longest = int(MAX_PART_S * rate_hz)
    groups: list[list[HeldSamples]] = []
    for each in sorted(held, key=lambda each: each.span.order):
        if not groups or each.span.end_index - groups[-1][0].span.first_index > longest:
            groups.append([])
        groups[-1].append(each)
    return [_part(group) for group in groups]


def _part(group: Sequence[HeldSamples]) -> Part:
    first_index = group[0].span.first_index
    end_index = max(each.span.end_index for each in group)
    samples = np.full((len(group[0].samples), end_index - first_index), MISSING, np.int16)
    for each in reversed(group):
        samples[:, each.span.first_index - first_index : each.span.end_index - first_index] = each.samples
    return Part(first_index, tuple(each.span for each in group), samples)


def signal_files(part: Part) -> list[bytes]:
    """The samples as FLAC, eight leads to a file."""
    return [_flac(part.samples[at : at + _CHANNELS].T) for at in range(0, len(part.samples), _CHANNELS)]


def signal_names(name: str, leads: int) -> list[str]:
    """The names of a record's signal files."""
    count = -(-leads // _CHANNELS)
    return [f"{name}.dat", *(f"{name}_{number}.dat" for number in range(2, count + 1))]


def read_signals(files: Iterable[bytes]) -> NDArray[np.int16]:
    """The samples of a record's signal files, int16 of shape (leads, count). Raises ValueError for damaged ones."""
    import soundfile  # noqa: PLC0415  # loads libsndfile, which only those who read the archive need

    try:
        read = [soundfile.read(io.BytesIO(data), dtype="int16", always_2d=True)[0] for data in files]
        return np.ascontiguousarray(np.concatenate(read, axis=1).T)
    except (soundfile.LibsndfileError, ValueError) as error:
        raise ValueError(f"a signal file of the archive is damaged ({error}); restore it from a backup") from error


def header(name: str, recording: Recording, part: Part, engine: str | None) -> bytes:
    """The header: rate, moment to the microsecond, a line for each lead in mV, and what the record is, no person."""
    at = to_datetime(part.spans[0].started_at_us)
    count = part.samples.shape[1]
    first = f"{name} {len(recording.leads)} {float(recording.rate_hz)!r} {count} {at:%H:%M:%S.%f} {at:%d/%m/%Y}"
    files = signal_names(name, len(recording.leads))
    signals = [
        f"{files[number // _CHANNELS]} 516 {1000 / recording.uv_per_lsb[number]!r}(0)/mV 16 0 {samples[0]} "
        f"{_checksum(samples)} 0 {lead}"
        for number, (lead, samples) in enumerate(zip(recording.leads, part.samples, strict=True))
    ]
    comments = [
        f"# device {recording.device_id}",
        f"# recording {recording.recording_id}",
        f"# first_index {part.first_index}",
        *([f"# beats by engine {engine}"] if engine else []),
    ]
    return "\n".join([first, *signals, *comments, ""]).encode("ascii")


def beat_annotations(part: Part, beats: Iterable[BeatMark]) -> bytes:
    """The part's beats as an annotation file in MIT format, at their R."""
    ours = sorted(
        (beat.r_index, beat.beat_class) for beat in beats if part.first_index <= beat.r_index < part.end_index
    )
    words: list[int] = []
    previous = part.first_index
    for index, beat_class in ours:
        step, code = index - previous, _SYMBOLS[beat_class] << 10
        if step > _FARTHEST:  # 4 bytes of their own, the high half first
            words += [_SKIP << 10, step >> 16, step & 0xFFFF]
            step = 0
        words.append(code | step)
        previous = index
    return np.array([*words, 0], "<u2").tobytes()


def _checksum(samples: NDArray[np.int16]) -> int:
    """The sum of the samples as 16 bits with sign."""
    low = int(samples.sum(dtype=np.int64)) & 0xFFFF
    return low - 0x10000 if low & 0x8000 else low


def _flac(samples: NDArray[np.int16]) -> bytes:
    import soundfile  # noqa: PLC0415  # as above

    file = io.BytesIO()
    with soundfile.SoundFile(
        file, "w", _FLAC_RATE, samples.shape[1], "PCM_16", format="FLAC", compression_level=_COMPRESSION
    ) as writer:
        writer.write(np.ascontiguousarray(samples))
    return file.getvalue()
