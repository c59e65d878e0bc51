"""Codec 2 read as docs/waveform-codec.md says, in plain Python: nothing of the product but its frequencies."""

from collections.abc import Sequence
from dataclasses import dataclass
from zlib import crc32

from storage.waveform_codec.frequencies import CLASSES, FREQUENCIES


@dataclass(frozen=True)
class Entry:
    """What a state says: its symbol, and where the next one begins and how many bits are added."""

    symbol: int
    base: int
    bits: int


def table(frequencies: Sequence[int]) -> list[Entry]:
    symbols = [0] * 2048
    place = 0
    for symbol, frequency in enumerate(frequencies):
        for _ in range(frequency):
            symbols[place] = symbol
            place = (place + 1283) % 2048
    seen = list(frequencies)
    entries = []
    for symbol in symbols:
        bits = 12 - seen[symbol].bit_length()
        entries.append(Entry(symbol, (seen[symbol] << bits) - 2048, bits))
        seen[symbol] += 1
    return entries


TABLES = [table(each) for each in FREQUENCIES]


@dataclass
class Bits:
    """The bytes as one number, its lowest bits first."""

    number: int

    def take(self, count: int) -> int:
        taken = self.number & ((1 << count) - 1)
        self.number >>= count
        return taken


def int16(data: bytes) -> int:
    return int.from_bytes(data, "little", signed=True)


def int32(number: int) -> int:
    return (number + 2**31) % 2**32 - 2**31


def sign(number: int) -> int:
    return (number > 0) - (number < 0)


def decode(data: bytes, leads: int, count: int) -> list[list[int]]:
    checked = leads.to_bytes(8, "little") + count.to_bytes(8, "little") + data[4:]
    assert int.from_bytes(data[:4], "little") == crc32(checked)
    at, sizes = 4, []
    for _ in range(leads):
        size = shift = 0
        while data[at] >= 128:
            size, shift, at = size | (data[at] - 128) << shift, shift + 7, at + 1
        sizes.append(size | data[at] << shift)
        at += 1
    parts = [data[at + sum(sizes[:i]) : at + sum(sizes[: i + 1])] for i in range(leads)]
    assert at + sum(sizes) == len(data)
    return [lead(part, count) for part in parts]


def lead(part: bytes, count: int) -> list[int]:
    if len(part) == 2 * count:
        return [int16(part[i : i + 2]) for i in range(0, len(part), 2)]
    if len(part) == 2:
        return [int16(part)] * count
    return synthesised(int16(part[:2]), residuals(Bits(int.from_bytes(part[2:], "little")), count - 1))


def residuals(bits: Bits, count: int) -> list[int]:
    while not bits.take(1):
        pass
    state, level, made = bits.take(11), 128, []
    for _ in range(count):
        low = max(0, level.bit_length() - 6)
        entry = TABLES[CLASSES[level >> low]][state]
        state = entry.base + bits.take(entry.bits)
        value = bits.take(17) if entry.symbol == 63 else entry.symbol << low | bits.take(low)
        made.append(-(value + 1) // 2 if value % 2 else value // 2)
        level += 4 * abs(made[-1]) - level // 4
    assert (state, bits.number) == (0, 0)
    return made


def synthesised(first: int, missed: Sequence[int]) -> list[int]:
    samples, weights, steps = [first], [2048] + [0] * 7, [0] * 8
    for residual in missed:
        total = int32(2048 + sum(w * d for w, d in zip(weights, steps, strict=True)))
        predicted = max(-32768, min(32767, samples[-1] + (total >> 12)))
        samples.append(predicted + residual)
        weights = [int32(w + 16 * sign(residual) * sign(d)) for w, d in zip(weights, steps, strict=True)]
        steps = [samples[-1] - samples[-2], *steps[:-1]]
    return samples
