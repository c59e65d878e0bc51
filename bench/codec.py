"""`python -m bench.codec`: size and speed of waveforms in blocks, ours beside FLAC, codec 1 and gzip, in one run."""

from __future__ import annotations

import argparse
import gzip
import io
import json
import sys
import time
import zlib
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from bench.accuracy.records import data_folder, read_record
from bench.accuracy.splits import DS1, DS2, PACED
from storage.waveforms import DELTA_ZLIB, Encoded, decode, decode_many, encode, encode_many

Blocks = Sequence[NDArray[np.int16]]
"""Each int16 of shape (leads, count); all of the same."""

BLOCK_S: Final = 10
ROUNDS: Final = 5
SHARE: Final = 10
"""Speeds are taken on every so manyth block, sizes on all."""


@dataclass(frozen=True, slots=True)
class Coder:
    """A way to turn blocks into bytes and back."""

    name: str
    encode: Callable[[Blocks], Sequence[Any]]
    decode: Callable[[Sequence[Any], int, int], Any]


@dataclass(frozen=True, slots=True)
class Speed:
    """Bits per sample of what was timed, and million samples per second of one core, the best of several rounds."""

    coder: str
    database: str
    leads: int
    bits: float
    encode_m_per_s: float
    decode_m_per_s: float


def main() -> None:
    """Print one JSON object."""
    parser = argparse.ArgumentParser(prog="python -m bench.codec", description=__doc__)
    parser.add_argument("--data", type=Path, default=data_folder(), help="folder of the databases")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    options = parser.parse_args()
    told = {"bits_per_sample": sizes(options.data), "speeds": speeds(options.data, options.rounds)}
    json.dump(told, sys.stdout, indent=2, default=asdict)
    sys.stdout.write("\n")


def sizes(data: Path) -> dict[str, float]:
    """Bits per sample of what we write, by group of records; frequencies were counted on DS1 alone."""
    groups = {"mitdb DS1": [("mitdb", sorted(DS1))], "mitdb DS2": [("mitdb", sorted(DS2))]}
    groups["mitdb paced"] = [("mitdb", sorted(PACED))]
    groups.update({db: [(db, names(data / db))] for db in ("qtdb", "nstdb", "vfdb", "challenge2017")})
    return {group: round(_bits(data, told), 3) for group, told in groups.items()}


def speeds(data: Path, rounds: int = ROUNDS) -> list[Speed]:
    """Every coder on every tenth block of mitdb's and qtdb's records, of two leads and of one."""
    measured = []
    for db in ("mitdb", "qtdb"):
        every = [block for name in names(data / db) for block in blocks(data / db / name)[::SHARE]]
        for leads in (2, 1):
            chosen = [np.ascontiguousarray(block[:leads]) for block in every]
            measured += [speed(coder, db, chosen, rounds) for coder in coders()]
    return measured


def names(folder: Path) -> list[str]:
    """The records of a database, sorted."""
    return sorted(path.stem for path in folder.glob("*.hea"))


def blocks(path: Path) -> list[NDArray[np.int16]]:
    """A record in blocks of BLOCK_S, what is left over at its end left out unless it is all there is."""
    record = read_record(path)
    length = min(int(BLOCK_S * record.rate_hz), record.count)
    return [record.samples[:, i : i + length] for i in range(0, record.count - length + 1, length)]


def coders() -> list[Coder]:
    """Ours first; then what it is held against."""
    return [
        Coder("codec 2, many", encode_many, lambda rows, leads, count: decode_many(rows, leads, [count] * len(rows))),
        Coder("codec 2, each", _each(encode), lambda rows, leads, count: [decode(row, leads, count) for row in rows]),
        Coder("codec 1", _each(first_codec), lambda rows, leads, count: [decode(row, leads, count) for row in rows]),
        Coder("FLAC", _each(_flac), lambda rows, *_: [_unflac(row) for row in rows]),
        Coder(
            "gzip",
            _each(lambda block: gzip.compress(block.tobytes())),
            lambda rows, *_: [gzip.decompress(row) for row in rows],
        ),
    ]


def speed(coder: Coder, database: str, chosen: Blocks, rounds: int) -> Speed:
    """CPU seconds, so that other work on the machine counts little; the first round, which may compile, counts not."""
    leads, count = chosen[0].shape
    samples = len(chosen) * leads * count
    rows = coder.encode(chosen)
    size = sum(len(row.data if isinstance(row, Encoded) else row) for row in rows)
    coder.decode(rows, leads, count)
    writing = min(_cpu_s(lambda: coder.encode(chosen)) for _ in range(rounds))
    reading = min(_cpu_s(lambda: coder.decode(rows, leads, count)) for _ in range(rounds))
    told = (round(8 * size / samples, 3), round(samples / writing / 1e6, 1), round(samples / reading / 1e6, 1))
    return Speed(coder.name, database, leads, *told)


def first_codec(samples: NDArray[np.int16]) -> Encoded:
    """What codec 1 wrote: differences, their low bytes, their high bytes, both without a search for repeats."""
    steps = np.diff(samples, axis=1, prepend=np.zeros((len(samples), 1), "<i2"))
    low, high = np.ascontiguousarray(steps).view(np.uint8).reshape(-1, 2).T
    coder = zlib.compressobj(1, zlib.DEFLATED, zlib.MAX_WBITS, zlib.DEF_MEM_LEVEL, zlib.Z_HUFFMAN_ONLY)
    halves = (coder.compress(low.tobytes()), coder.flush(zlib.Z_SYNC_FLUSH), coder.compress(high.tobytes()))
    return Encoded(DELTA_ZLIB, b"".join(halves) + coder.flush())


def _each(one: Callable[[Any], Any]) -> Callable[[Sequence[Any]], list[Any]]:
    return lambda many: [one(each) for each in many]


def _flac(samples: NDArray[np.int16]) -> bytes:
    import soundfile  # noqa: PLC0415  # what only wants our own figures needs no libsndfile

    file = io.BytesIO()
    soundfile.write(file, samples.T, 360, format="FLAC", subtype="PCM_16")
    return file.getvalue()


def _unflac(data: bytes) -> NDArray[np.int16]:
    import soundfile  # noqa: PLC0415  # as above

    samples: NDArray[np.int16] = soundfile.read(io.BytesIO(data), dtype="int16")[0]
    return samples


def _cpu_s(run: Callable[[], Any]) -> float:
    begun = time.process_time()
    run()
    return time.process_time() - begun


def _bits(data: Path, told: list[tuple[str, list[str]]]) -> float:
    """Bits per sample of all blocks of these records."""
    size = samples = 0
    for db, records in told:
        for name in records:
            cut = blocks(data / db / name)
            size += sum(len(row.data) for row in encode_many(cut))
            samples += sum(block.size for block in cut)
    return 8 * size / samples


if __name__ == "__main__":
    main()
