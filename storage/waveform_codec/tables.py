"""What the kernels look up, made of the trained frequencies at first use."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from storage.waveform_codec.frequencies import CLASSES, FREQUENCIES

STATE_BITS: Final = 11
STATES: Final = 1 << STATE_BITS
SYMBOLS: Final = 64
ESCAPE: Final = SYMBOLS - 1
"""The symbol of a value that has none: RAW_BITS with the value itself follow."""

RAW_BITS: Final = 17
"""A residual is the difference of two int16."""

FIRST_LEVEL: Final = 128
"""Where the level begins: 16 times the residuals' mean size of late, here 8."""

ABSENT: Final = 1 << 30
"""In `Writing.widths`: the class has no such symbol, an escape is written."""

_STRIDE: Final = (STATES >> 1) + (STATES >> 3) + 3


@dataclass(frozen=True, slots=True)
class Reading:
    """Tables of the reader. `entries`: uint32 for each class and state, first state << 16 | bits << 8 | symbol."""

    entries: NDArray[np.uint32]
    classes: NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Writing:
    """Tables of the writer, one after the other for each class.

    With X = state + STATES, a symbol takes n = X + widths >> 16 bits of X, the lowest, and leads to
    states[(X >> n) + places], which is the state itself plus STATES.
    """

    widths: NDArray[np.int32]
    places: NDArray[np.int32]
    states: NDArray[np.uint16]
    classes: NDArray[np.uint8]


@cache
def reading() -> Reading:
    return Reading(np.concatenate([_entries(each) for each in FREQUENCIES]), np.array(CLASSES, np.uint8))


@cache
def writing() -> Writing:
    parts = [_steps(each, number * STATES) for number, each in enumerate(FREQUENCIES)]
    widths, places, states = (np.concatenate(part) for part in zip(*parts, strict=True))
    return Writing(widths, places, states, np.array(CLASSES, np.uint8))


def spread(frequencies: tuple[int, ...]) -> NDArray[np.int64]:
    """The symbol of each state: each symbol has as many as its frequency, far from each other."""
    order = np.arange(STATES) * _STRIDE % STATES
    symbols = np.empty(STATES, np.int64)
    symbols[order] = np.repeat(np.arange(SYMBOLS), frequencies)
    return symbols


def _ranks(symbols: NDArray[np.int64], frequencies: tuple[int, ...]) -> NDArray[np.int64]:
    """For each state: the frequency of its symbol, plus how many states below have the same symbol."""
    ranks = np.empty(STATES, np.int64)
    for symbol, frequency in enumerate(frequencies):
        ranks[symbols == symbol] = np.arange(frequency, 2 * frequency)
    return ranks


def _entries(frequencies: tuple[int, ...]) -> NDArray[np.uint32]:
    symbols = spread(frequencies)
    ranks = _ranks(symbols, frequencies)
    bits = np.array([STATE_BITS + 1 - int(rank).bit_length() for rank in ranks])
    entries: NDArray[np.uint32] = (((ranks << bits) - STATES) << 16 | bits << 8 | symbols).astype(np.uint32)
    return entries


def _steps(
    frequencies: tuple[int, ...], offset: int
) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.uint16]]:
    """The writer's tables of one class, whose states begin at `offset` in the whole table."""
    symbols = spread(frequencies)
    wide = [STATE_BITS - (each - 1).bit_length() + 1 if each > 1 else STATE_BITS for each in frequencies]
    widths = [(n << 16) - (each << n) if each else ABSENT for n, each in zip(wide, frequencies, strict=True)]
    firsts = np.cumsum((0, *frequencies[:-1])) - frequencies + offset
    states = np.argsort(symbols, kind="stable") + STATES
    return np.array(widths, np.int32), firsts.astype(np.int32), states.astype(np.uint16)
