"""A virtual device's blocks as bytes: what never changes is written once, the rest is appended."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from schemas import ecg_pb2 as pb

RATE_HZ: Final = 250
BLOCK_US: Final = 1_000_000
UV_PER_LSB: Final = 2.5

_BLOCKS_TAG: Final = b"\x0a"
"""Field 1 of SamplePack, length-delimited."""


@dataclass(frozen=True, slots=True)
class DeviceWire:
    """Serialises the blocks of one device: one lead, RATE_HZ, one second each.

    Protobuf lets the fields of a message come in any order and in several pieces, so a block is the constant
    fields and, behind them, the four that vary.
    """

    constant: bytes

    @classmethod
    def of(cls, device_id: UUID, recording_id: UUID) -> DeviceWire:
        fields = pb.SampleBlock(
            device_id=str(device_id),
            recording_id=str(recording_id),
            rate_hz=float(RATE_HZ),
            leads=[pb.II],
            uv_per_lsb=[UV_PER_LSB],
        )
        return cls(fields.SerializeToString())

    def block(self, first_index: int, started_at_us: int, samples: bytes, received_at_us: int) -> bytes:
        """A block as it stands in a SamplePack; packs are blocks one after the other."""
        varying = pb.SampleBlock(
            first_index=first_index, started_at_us=started_at_us, samples=samples, received_at_us=received_at_us
        ).SerializeToString()
        return _BLOCKS_TAG + _varint(len(self.constant) + len(varying)) + self.constant + varying


def _varint(number: int) -> bytes:
    """Protobuf's base-128 varint."""
    if number < 0x80:
        return bytes((number,))
    return bytes((number & 0x7F | 0x80,)) + _varint(number >> 7)
