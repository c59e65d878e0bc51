"""The kernel that reads: eight leads at a time, four of them interleaved while their bits are told apart."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, Final

import numpy as np

from storage.waveform_codec.kernel import cached_kernel, kernel, stamp
from storage.waveform_codec.lanes import CHUNK, FIRST_WEIGHT, LANES, ROWS, bit_length, bits_at, synthesise, turn
from storage.waveform_codec.tables import ESCAPE, FIRST_LEVEL, RAW_BITS, STATE_BITS

PADDING: Final = 2048
"""Bytes to read beyond the last lead: a symbol takes 37 bits at most, whatever the bytes say, and the word 8 bytes."""

STREAM: Final = np.dtype([(name, "i8") for name in ("begin", "end", "count", "at")])
"""A coded lead: its bytes in the data, how many samples it has, and where they go."""

_LANE: Final = np.dtype([(name, "i8") for name in ("stream", "position", "state", "level", "done")])
_IDLE: Final = -1
_INT32: Any = np.int32  # numpy's own types know less of mixed arithmetic than numba does
_UINT32: Any = np.uint32
_UINT64: Any = np.uint64
_INT64: Any = np.int64


@kernel
def _symbol(data: Any, table: Any, classes: Any, position: Any, state: Any, level: Any) -> Any:
    """Position, state and level after the next symbol, and its residual."""
    bits = bits_at(data, position)
    low = bit_length(_UINT32(level) | _UINT32(63)) - 6
    entry = table[(_INT64(classes[_UINT32(level) >> _UINT32(low)]) << STATE_BITS) + state]
    taken = _INT64((entry >> _UINT32(8)) & _UINT32(255))
    value = _INT64(entry & _UINT32(255))
    state = _INT64(entry >> _UINT32(16)) + _INT64(bits & ((_UINT64(1) << _UINT64(taken)) - _UINT64(1)))
    bits >>= _UINT64(taken)
    if value == ESCAPE:
        value = _INT64(bits & _UINT64((1 << RAW_BITS) - 1))
        position += taken + RAW_BITS
    else:
        value = (value << low) | _INT64(bits & ((_UINT64(1) << _UINT64(low)) - _UINT64(1)))
        position += taken + low
    residual = _INT32(value >> 1) ^ -_INT32(value & 1)
    return position, state, _INT32(level + (abs(residual) << _INT32(2)) - (level >> _INT32(2))), residual


@kernel
def _two(data: Any, table: Any, classes: Any, lanes: Any, order: Any, i: int, rows: Any, count: int) -> None:
    """`count` residuals of two lanes; their chains of look-ups overlap."""
    a, b = lanes[order[i]], lanes[order[i + 1]]
    position_a, state_a, level_a = a.position, a.state, _INT32(a.level)
    position_b, state_b, level_b = b.position, b.state, _INT32(b.level)
    at_a, at_b = _UINT64(order[i]), _UINT64(order[i + 1])
    for row in range(count):
        begin = _UINT64(row) * _UINT64(LANES)
        position_a, state_a, level_a, rows[begin + at_a] = _symbol(data, table, classes, position_a, state_a, level_a)
        position_b, state_b, level_b, rows[begin + at_b] = _symbol(data, table, classes, position_b, state_b, level_b)
    a.position, a.state, a.level = position_a, state_a, level_a
    b.position, b.state, b.level = position_b, state_b, level_b


@kernel
def _four(data: Any, table: Any, classes: Any, lanes: Any, order: Any, i: int, rows: Any, count: int) -> None:
    """`count` residuals of four lanes; two alone leave the processor waiting for a third of the time."""
    a, b, c, d = lanes[order[i]], lanes[order[i + 1]], lanes[order[i + 2]], lanes[order[i + 3]]
    position_a, state_a, level_a = a.position, a.state, _INT32(a.level)
    position_b, state_b, level_b = b.position, b.state, _INT32(b.level)
    position_c, state_c, level_c = c.position, c.state, _INT32(c.level)
    position_d, state_d, level_d = d.position, d.state, _INT32(d.level)
    at_a, at_b, at_c, at_d = _UINT64(order[i]), _UINT64(order[i + 1]), _UINT64(order[i + 2]), _UINT64(order[i + 3])
    for row in range(count):
        begin = _UINT64(row) * _UINT64(LANES)
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
    mark = _INT64(0)
    while mark < 7 and not (data[stream.begin + 2] >> np.uint8(mark)) & np.uint8(1):
        mark += 1
    position = (stream.begin + 2) * 8 + mark + 1
    lane.state = _INT64(bits_at(data, position) & _UINT64((1 << STATE_BITS) - 1))
    lane.position = position + STATE_BITS
    lane.level = FIRST_LEVEL
    lane.done = 1
    for row in range(ROWS):
        carried[row * LANES + number] = 0
    carried[number] = FIRST_WEIGHT
    carried[(ROWS - 1) * LANES + number] = first


@kernel
def _fill(lanes: Any, carried: Any, streams: Any, following: Any, data: Any, samples: Any) -> Any:
    """Give each idle lane the next coded lead, from number `following` on; the number of the next one left."""
    for number in range(LANES):
        if lanes[number].stream == _IDLE and following < len(streams):
            lanes[number].stream = following
            _begin(lanes[number], carried, number, streams[following], data, samples)
            following += 1
    return following


@kernel
def _rest(lanes: Any) -> None:
    """Let the idle lanes read at the beginning of the data, where they do no harm."""
    for lane in lanes:
        if lane.stream == _IDLE:
            lane.position = 0
            lane.state = 0
            lane.level = 0


@kernel
def _tell_apart(data: Any, table: Any, classes: Any, lanes: Any, order: Any, busy: int, rows: Any, count: int) -> None:
    """`count` residuals of the busy lanes; an idle one makes a group full."""
    _rest(lanes)
    for i in range(0, busy, 4):
        if busy - i > 2:
            _four(data, table, classes, lanes, order, i, rows, count)
        else:
            _two(data, table, classes, lanes, order, i, rows, count)


@kernel
def _order(lanes: Any, streams: Any, order: Any) -> Any:
    """Put the busy lanes first in `order`; how many they are, and for how many samples all of them go on."""
    busy, count = 0, _INT64(CHUNK)
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
def _give(lane: Any, number: int, stream: Any, columns: Any, samples: Any, count: int) -> bool:
    """Copy what a lane has made to where it goes; whether its bits are sound so far."""
    begin, column = _UINT64(stream.at + lane.done), _UINT64(number) * _UINT64(CHUNK)
    for i in range(_UINT64(count)):
        samples[begin + i] = columns[column + i]
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
        lanes: Any = np.zeros(LANES, _LANE)
        order = np.zeros(LANES, np.int64)
        carried = np.zeros(ROWS * LANES, np.int32)
        residuals = np.zeros(CHUNK * LANES, np.int32)
        block = np.zeros(CHUNK * LANES, np.int16)
        columns = np.zeros(CHUNK * LANES, np.int16)
        following = 0
        for lane in lanes:
            lane.stream = _IDLE
        while True:
            following = _fill(lanes, carried, streams, following, data, samples)
            busy, count = _order(lanes, streams, order)
            if busy == 0:
                return version
            _tell_apart(data, entries, classes, lanes, order, busy, residuals, count)
            synthesise(carried, residuals, block, count)
            for row in range(0, count, LANES):
                turn(block, columns, row)
            for number in order[:busy]:
                stream = lanes[number].stream
                if not _give(lanes[number], number, streams[stream], columns, samples, count):
                    bad[0] = stream
                    return version

    return decode
