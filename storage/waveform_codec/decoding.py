"""The kernel that reads: eight leads at a time, four of them interleaved while their bits are told apart."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from storage.waveform_codec.kernel import cached_kernel, kernel, stamp
from storage.waveform_codec.lanes import FIRST_WEIGHT, LANES, ROWS, bit_length, bits_at, synthesise
from storage.waveform_codec.tables import ESCAPE, FIRST_LEVEL, RAW_BITS, STATE_BITS

CHUNK: Final = 256
"""Samples of a lead between two looks at whether its bits have ended."""

PADDING: Final = 2048
"""Bytes to read beyond the last lead: a symbol takes 37 bits at most, whatever the bytes say, and the word 8 bytes."""

STREAM: Final = np.dtype([(name, "i8") for name in ("begin", "end", "count", "at")])
"""A coded lead: its bytes in the data, how many samples it has, and where they go."""

_LANE: Final = np.dtype([(name, "i8") for name in ("stream", "position", "state", "level", "done")])
_IDLE: Final = -1
_INT32, _UINT32, _UINT64 = np.int32, np.uint32, np.uint64


@kernel
def _symbol(data: Any, table: Any, classes: Any, position: Any, state: Any, level: Any) -> Any:
    """Position, state and level after the next symbol, and its residual."""
    bits = bits_at(data, position)
    low = bit_length(_UINT32(level) | _UINT32(63)) - 6
    entry = table[(np.int64(classes[_UINT32(level) >> _UINT32(low)]) << STATE_BITS) + state]
    taken = np.int64((entry >> _UINT32(8)) & _UINT32(255))
    value = np.int64(entry & _UINT32(255))
    state = np.int64(entry >> _UINT32(16)) + np.int64(bits & ((_UINT64(1) << _UINT64(taken)) - _UINT64(1)))
    bits >>= _UINT64(taken)
    if value == ESCAPE:
        value = np.int64(bits & _UINT64((1 << RAW_BITS) - 1))
        position += taken + RAW_BITS
    else:
        value = (value << low) | np.int64(bits & ((_UINT64(1) << _UINT64(low)) - _UINT64(1)))
        position += taken + low
    residual = _INT32(value >> 1) ^ -_INT32(value & 1)
    return position, state, _INT32(level + (abs(residual) << _INT32(2)) - (level >> _INT32(2))), residual


@kernel
def _two(data: Any, table: Any, classes: Any, lanes: Any, order: Any, rows: Any, count: int) -> None:
    """`count` residuals of two lanes; their chains of look-ups overlap."""
    a, b = lanes[order[0]], lanes[order[1]]
    position_a, state_a, level_a = a.position, a.state, _INT32(a.level)
    position_b, state_b, level_b = b.position, b.state, _INT32(b.level)
    at_a, at_b = np.uint64(order[0]), np.uint64(order[1])
    for row in range(count):
        begin = np.uint64(row) * np.uint64(LANES)
        position_a, state_a, level_a, rows[begin + at_a] = _symbol(data, table, classes, position_a, state_a, level_a)
        position_b, state_b, level_b, rows[begin + at_b] = _symbol(data, table, classes, position_b, state_b, level_b)
    a.position, a.state, a.level = position_a, state_a, level_a
    b.position, b.state, b.level = position_b, state_b, level_b


@kernel
def _four(data: Any, table: Any, classes: Any, lanes: Any, order: Any, rows: Any, count: int) -> None:
    """`count` residuals of four lanes; two alone leave the processor waiting for a third of the time."""
    a, b, c, d = lanes[order[0]], lanes[order[1]], lanes[order[2]], lanes[order[3]]
    position_a, state_a, level_a = a.position, a.state, _INT32(a.level)
    position_b, state_b, level_b = b.position, b.state, _INT32(b.level)
    position_c, state_c, level_c = c.position, c.state, _INT32(c.level)
    position_d, state_d, level_d = d.position, d.state, _INT32(d.level)
    at_a, at_b, at_c, at_d = np.uint64(order[0]), np.uint64(order[1]), np.uint64(order[2]), np.uint64(order[3])
    for row in range(count):
        begin = np.uint64(row) * np.uint64(LANES)
        position_a, state_a, level_a, rows[begin + at_a] = _symbol(data, table, classes, position_a, state_a, level_a)
        position_b, state_b, level_b, rows[begin + at_b] = _symbol(data, table, classes, position_b, state_b, level_b)
        position_c, state_c, level_c, rows[begin + at_c] = _symbol(data, table, classes, position_c, state_c, level_c)
        position_d, state_d, level_d, rows[begin + at_d] = _symbol(data, table, classes, position_d, state_d, level_d)
    a.position, a.state, a.level = position_a, state_a, level_a
    b.position, b.state, b.level = position_b, state_b, level_b
    c.position, c.state, c.level = position_c, state_c, level_c
    d.position, d.state, d.level = position_d, state_d, level_d


@kernel
def _begin(lane: Any, carried: Any, number: int, stream: Any, data: Any, samples: Any) -> None:
    """Take a coded lead up: its first sample, the lowest 1 of what follows, and behind it the first state."""
    first = _INT32(np.int16(np.uint16(data[stream.begin]) | np.uint16(data[stream.begin + 1]) << np.uint16(8)))
    samples[stream.at] = first
    mark = np.int64(0)
    while mark < 7 and not (data[stream.begin + 2] >> np.uint8(mark)) & np.uint8(1):
        mark += 1
    position = (stream.begin + 2) * 8 + mark + 1
    lane.state = np.int64(bits_at(data, position) & _UINT64((1 << STATE_BITS) - 1))
    lane.position = position + STATE_BITS
    lane.level = FIRST_LEVEL
    lane.done = 1
    for row in range(ROWS):
        carried[row * LANES + number] = 0
    carried[number] = FIRST_WEIGHT
    carried[(ROWS - 1) * LANES + number] = first


@kernel
def _rest(lanes: Any) -> None:
    """Let the idle lanes read at the beginning of the data, where they do no harm."""
    for lane in lanes:
        if lane.stream == _IDLE:
            lane.position = 0
            lane.state = 0
            lane.level = 0


@kernel
def _order(lanes: Any, streams: Any, order: Any) -> Any:
    """Put the busy lanes first in `order`; how many they are, and for how many samples all of them go on."""
    busy, count = 0, np.int64(CHUNK)
    for number in range(LANES):
        if lanes[number].stream != _IDLE:
            order[busy] = number
            busy += 1
            count = min(count, streams[lanes[number].stream].count - lanes[number].done)
    last = busy
    for number in range(LANES):
        if lanes[number].stream == _IDLE:
            order[last] = number
            last += 1
    return busy, count


@kernel
def _give(lane: Any, number: int, stream: Any, block: Any, samples: Any, count: int) -> bool:
    """Copy what a lane has made to where it goes; whether its bits are sound so far."""
    begin, column = _UINT64(stream.at + lane.done), _UINT64(number)
    for row in range(_UINT64(count)):
        samples[begin + row] = block[row * _UINT64(LANES) + column]
    lane.done += count
    if lane.done < stream.count:
        return bool(lane.position <= stream.end * 8)
    lane.stream = _IDLE
    return bool(lane.position == stream.end * 8 and lane.state == 0)


@cache
def compiled() -> Callable[..., int]:
    """The kernel, compiled or from the cache at its first call.

    Parameters of the kernel
    ------------------------
    data : uint8, the bytes of all rows, and PADDING
    streams : STREAM (n,), the coded leads; their bytes lie within the rows
    entries, classes : the tables of `Reading`
    samples : int16, filled; a stream's come one after the other from `at` on
    bad : int64 (1,), set to the number of the first stream whose bits are damaged, else left
    """
    version = stamp()

    @cached_kernel
    def decode(data: Any, streams: Any, entries: Any, classes: Any, samples: Any, bad: Any) -> int:
        lanes = np.zeros(LANES, _LANE)
        order = np.zeros(LANES, np.int64)
        carried = np.zeros(ROWS * LANES, np.int32)
        residuals = np.zeros(CHUNK * LANES, np.int32)
        block = np.zeros(CHUNK * LANES, np.int16)
        following = 0
        for lane in lanes:
            lane.stream = _IDLE
        while True:
            for number in range(LANES):
                if lanes[number].stream == _IDLE and following < len(streams):
                    lanes[number].stream = following
                    _begin(lanes[number], carried, number, streams[following], data, samples)
                    following += 1
            busy, count = _order(lanes, streams, order)
            if busy == 0:
                return version
            _rest(lanes)
            for i in range(0, busy, 4):
                if busy - i > 2:
                    _four(data, entries, classes, lanes, order[i:], residuals, count)
                else:
                    _two(data, entries, classes, lanes, order[i:], residuals, count)
            synthesise(carried, residuals, block, count)
            for number in order[:busy]:
                stream = lanes[number].stream
                if not _give(lanes[number], number, streams[stream], block, samples, count):
                    bad[0] = stream
                    return version

    return decode
