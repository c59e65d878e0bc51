"""`python -m bench.codec_training`: count the symbols of codec 2 on the DS1 half of mitdb, write its frequencies."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numba import njit
from numpy.typing import NDArray

from bench.accuracy.records import data_folder, read_record
from bench.accuracy.splits import DS1
from storage.waveform_codec.encoding import LEAD, mark, predict
from storage.waveform_codec.tables import ESCAPE, STATES, SYMBOLS

BLOCK_S: Final = 10
COARSER: Final = (0, 1, 2, 3)
"""Each block is counted with so many of its lowest bits cut off, as devices of coarser steps would send it: mitdb as it
is, at 5 uV a step, says little about small residuals."""

FIRSTS: Final = (0, 4, 6, 8, 10, 13, 16, 20, 26, 32, 40, 51)
"""The smallest of the 64 values of a level, cut to six bits, in each class: three classes for each doubling."""

_RARE: Final = 0.4 / STATES
"""What is rarer than this has no state of its own and is escaped."""

_HEAD: Final = '''"""Frequencies of codec 2, by `python -m bench.codec_training`; see docs/waveform-codec.md."""

from __future__ import annotations

from typing import Final

# ruff: noqa: E501 - the row of a class is a line
# fmt: off
'''


def main() -> None:
    """Write the tables."""
    parser = argparse.ArgumentParser(prog="python -m bench.codec_training", description=__doc__)
    parser.add_argument("--data", type=Path, default=data_folder(), help="folder of the databases")
    parser.add_argument("--out", type=Path, default=Path("storage/waveform_codec/frequencies.py"))
    options = parser.parse_args()
    trained = frequencies(options.data)
    rows = "".join(f"    {tuple(each.tolist())},\n" for each in trained.shares)
    options.out.write_text(
        f'{_HEAD}CLASSES: Final = {tuple(trained.classes.tolist())}\n"""The class of a level, cut to six bits."""\n\n'
        f'FREQUENCIES: Final = (\n{rows})\n"""For each class, of {STATES} states, how many each symbol has."""\n'
    )


@dataclass(frozen=True, slots=True)
class Trained:
    """The class of each of 64 values, and for each class the states of each symbol."""

    classes: NDArray[np.uint8]
    shares: list[NDArray[np.int64]]


def frequencies(data: Path) -> Trained:
    """What is counted on DS1 in the folder of the databases."""
    classes = (np.searchsorted(FIRSTS, np.arange(64), side="right") - 1).astype(np.uint8)
    counts = np.zeros((len(FIRSTS), SYMBOLS), np.int64)
    for leads in _records(data):
        _count(leads, classes, counts)
    return Trained(classes, [shared(each) for each in counts])


def shared(counts: NDArray[np.int64]) -> NDArray[np.int64]:
    """STATES states shared out by counts: one at least to what isn't rare and to the escape, the others where best."""
    weights = counts + 1e-3
    kept = weights / weights.sum() > _RARE
    kept[ESCAPE] = True
    weights[ESCAPE] += weights[~kept].sum()
    weights[~kept] = 0
    states = np.where(kept, np.maximum(1, np.floor(weights / weights.sum() * STATES)), 0).astype(np.int64)
    while states.sum() < STATES:
        states[np.argmax(np.where(kept, weights * np.log2((states + 1) / np.maximum(states, 1)), -1))] += 1
    while states.sum() > STATES:
        states[np.argmin(np.where(states > 1, weights * np.log2(states / np.maximum(states - 1, 1)), np.inf))] -= 1
    return states


def _records(data: Path) -> Iterator[NDArray[np.int16]]:
    """All leads of a record in blocks, int16 (blocks, samples), and the same coarser."""
    for name in sorted(DS1):
        record = read_record(data / "mitdb" / name)
        length = int(BLOCK_S * record.rate_hz)
        blocks = record.samples[:, : record.count // length * length].reshape(-1, length)
        for bits in COARSER:
            yield blocks >> bits


def _count(blocks: NDArray[np.int16], classes: NDArray[np.uint8], counts: NDArray[np.int64]) -> None:
    number, length = blocks.shape
    leads = np.zeros(number, LEAD)
    leads["count"], leads["at"] = length, np.arange(number) * length
    _count_leads(np.ascontiguousarray(blocks).ravel(), leads, classes, np.int64(length), counts)


@njit(cache=False)
def _count_leads(samples: Any, leads: Any, classes: Any, length: Any, counts: Any) -> None:
    residuals = np.zeros((8, length), np.int32)
    marks = np.zeros(length, np.uint8)
    for first in range(0, len(leads), 8):
        predict(samples, leads, first, length, residuals)
        for number in range(min(8, len(leads) - first)):
            mark(residuals[number], classes, marks, length)
            for i in range(1, length):
                value = (residuals[number, i] << 1) ^ (residuals[number, i] >> 31)
                counts[marks[i] >> 4, min(value >> (marks[i] & 15), ESCAPE)] += 1


if __name__ == "__main__":
    main()
