"""Topics, and the partition a device's records fall on."""

from __future__ import annotations

from functools import lru_cache
from typing import Final
from uuid import UUID

SAMPLES: Final = "ecg.samples"
BEATS: Final = "ecg.beats"
METRICS: Final = "ecg.metrics"
RHYTHMS: Final = "ecg.rhythms"
ALARMS: Final = "ecg.alarms"
REPORTS: Final = "ecg.reports"
REJECTS: Final = "ecg.rejects"

ALL: Final = (SAMPLES, BEATS, METRICS, RHYTHMS, ALARMS, REPORTS, REJECTS)

MAX_RECORD_BYTES: Final = 4 * 2**20
"""The largest record a topic takes: 60 s of 12 leads at 1000 Hz are 1.4 MB, over Kafka's own 1 MB."""

_MASK: Final = 0xFFFFFFFF
_M: Final = 0x5BD1E995
_SEED: Final = 0x9747B28C


def device_key(device_id: UUID) -> bytes:
    """The Kafka key of a device's records: its UUID in text form."""
    return str(device_id).encode()


@lru_cache(maxsize=65_536)
def partition_of(device_id: UUID, partitions: int) -> int:
    """The partition all blocks of a device fall on, by whatever path they come.

    Kafka's Java client: (murmur2(key) & 0x7fffffff) modulo the partition count.
    """
    return (murmur2(device_key(device_id)) & 0x7FFFFFFF) % partitions


def murmur2(data: bytes) -> int:
    """Murmur2, 32 bits, with the seed Kafka's Java client uses (Appleby's public-domain algorithm)."""
    length = len(data)
    h = _SEED ^ length
    whole = length & ~3
    for i in range(0, whole, 4):
        k = int.from_bytes(data[i : i + 4], "little") * _M & _MASK
        k = (k ^ (k >> 24)) * _M & _MASK
        h = (h * _M & _MASK) ^ k
    if length & 3:
        h = (h ^ int.from_bytes(data[whole:], "little")) * _M & _MASK
    h = (h ^ (h >> 13)) * _M & _MASK
    return h ^ (h >> 15)
