"""The kernel that writes: eight leads at a time are predicted, then each is coded from its last sample to its first."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, Final

import numpy as np

from storage.waveform_codec.kernel import cached_kernel, kernel, stamp
from storage.waveform_codec.lanes import CHUNK, FIRST_WEIGHT, LANES, ROWS, analyse, bit_length
from storage.waveform_codec.tables import ABSENT, ESCAPE, FIRST_LEVEL, RAW_BITS, STATE_BITS, STATES, SYMBOLS

LEAD: Final = np.dtype([(name, "i8") for name in ("at", "count", "to", "size")])
"""A lead: where its samples begin, how many they are, where its bytes go (two a sample at most), how many it took."""

SPARE_WORDS: Final = 2
"""A sample takes 28 bits at most, the first state and the mark 12."""

_INT32: Any = np.int32  # numpy's own types know less of mixed arithmetic than numba does
_UINT32: Any = np.uint32
_UINT64: Any = np.uint64
_INT64: Any = np.int64


@kernel
def predict(samples: Any, leads: Any, first: int, longest: int, residuals: Any) -> None:
    """Fill `residuals`, int32 (LANES, longest), of the leads from the `first` on, from their second sample on."""
    carried = np.zeros(ROWS * LANES, np.int32)
    block = np.zeros(CHUNK * LANES, np.int16)
    missed = np.zeros(CHUNK * LANES, np.int32)
    lanes = min(LANES, len(leads) - first)
    for number in range(lanes):
        carried[number] = FIRST_WEIGHT
        if leads[first + number].count:
            carried[(ROWS - 1) * LANES + number] = samples[leads[first + number].at]
    for begin in range(1, longest, CHUNK):
        for number in range(lanes):
            lead = leads[first + number]
            for row in range(min(CHUNK, lead.count - begin)):
                block[row * LANES + number] = samples[lead.at + begin + row]
        analyse(carried, missed, block, min(CHUNK, longest - begin))
        for number in range(lanes):
            for row in range(min(CHUNK, leads[first + number].count - begin)):
                residuals[number, begin + row] = missed[row * LANES + number]


@kernel
def mark(residuals: Any, classes: Any, marks: Any, count: int) -> None:
    """Fill `marks` with what the reader will know before each residual: the class << 4 | its low bits."""
    level = _INT32(FIRST_LEVEL)
    for i in range(1, count):
        low = bit_length(_UINT32(level) | _UINT32(63)) - 6
        marks[i] = _INT64(classes[level >> _INT32(low)]) << 4 | low
        level = _INT32(level + (abs(residuals[i]) << _INT32(2)) - (level >> _INT32(2)))


@kernel
def _write(residuals: Any, marks: Any, count: int, widths: Any, places: Any, states: Any, words: Any) -> Any:
    """Fill `words` from their end; the first byte of them that is used, the last is the last."""
    word, gathered, filled = len(words), _UINT64(0), np.int64(0)
    state = _INT64(STATES)
    for i in range(count - 1, 0, -1):
        residual = residuals[i]
        mark = _INT64(marks[i])
        low = mark & 15
        value = _INT64((residual << _INT32(1)) ^ (residual >> _INT32(31)))
        column = (mark >> 4) * SYMBOLS
        place = column + min(value >> low, ESCAPE)
        raw, more = value & ((1 << low) - 1), low
        if value >> low >= ESCAPE or widths[place] == ABSENT:
            place, raw, more = column + ESCAPE, value, _INT64(RAW_BITS)
        taken = (state + widths[place]) >> 16
        bits = raw << taken | (state & ((1 << taken) - 1))
        state = _INT64(states[(state >> taken) + places[place]])
        gathered = gathered << _UINT64(taken + more) | _UINT64(bits)
        filled += taken + more
        if filled >= 32:
            filled -= 32
            word -= 1
            words[word] = _UINT32(gathered >> _UINT64(filled))
    gathered = gathered << _UINT64(STATE_BITS + 1) | _UINT64(state - STATES) << _UINT64(1) | _UINT64(1)
    filled += STATE_BITS + 1
    if filled >= 32:
        filled -= 32
        word -= 1
        words[word] = _UINT32(gathered >> _UINT64(filled))
    words[word - 1] = _UINT32(gathered << _UINT64(32 - filled))
    return word * 4 - (filled + 7) // 8


@kernel
def _is_constant(samples: Any, lead: Any) -> bool:
    for i in range(lead.at + 1, lead.at + lead.count):
        if samples[i] != samples[lead.at]:
            return False
    return bool(lead.count > 1)


@kernel
def _put(samples: Any, lead: Any, coded: Any, begin: Any, out: Any) -> Any:
    """Put a lead into `out`: coded, one sample for all, or as it is where that takes no more; its bytes."""
    plain = lead.count
    if _is_constant(samples, lead):
        plain, begin = 1, len(coded)
    elif 2 + len(coded) - begin < 2 * lead.count:
        plain = 1
    for i in range(plain):
        out[lead.to + 2 * i] = np.uint8(samples[lead.at + i])
        out[lead.to + 2 * i + 1] = np.uint8(samples[lead.at + i] >> 8)
    if plain == lead.count:
        return 2 * plain
    for i in range(begin, len(coded)):
        out[lead.to + 2 + i - begin] = coded[i]
    return 2 + len(coded) - begin


@cache
def compiled() -> Callable[..., int]:
    """The kernel, compiled or from the cache at its first call.

    Parameters of the kernel
    ------------------------
    samples : int16, all leads
    leads : LEAD (n,), whose `size` is filled
    widths, places, states, classes : the tables of `Writing`
    longest : how many samples the longest lead has
    words, coded : the same memory as uint32 and as uint8, overwritten: SPARE_WORDS and a word for each of them
    out : uint8, filled
    """
    version = stamp()

    @cached_kernel
    def encode(samples: Any, leads: Any, widths: Any, places: Any, states: Any, classes: Any, longest: int,
               words: Any, coded: Any, out: Any) -> int:  # fmt: skip
        residuals = np.zeros((min(LANES, len(leads)), longest), np.int32)
        marks = np.zeros(longest, np.uint8)
        for first in range(0, len(leads), LANES):
            predict(samples, leads, first, longest, residuals)
            for number in range(min(LANES, len(leads) - first)):
                lead = leads[first + number]
                mark(residuals[number], classes, marks, lead.count)
                begin = _write(residuals[number], marks, lead.count, widths, places, states, words)
                lead.size = _put(samples, lead, coded, begin, out)
        return version

    return encode
