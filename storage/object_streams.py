"""Object streams: a file of the object store, read piece by piece."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Final

CHUNK_BYTES: Final = 256 * 1024
"""The most of a file that is held in memory at a time."""


@dataclass(frozen=True, slots=True)
class ObjectStat:
    """A file's size in bytes, and its media type."""

    size: int
    content_type: str


@dataclass(frozen=True, slots=True)
class OpenObject:
    """A file that is being read: the size of all of it, its media type, and the chunks that were asked for."""

    size: int
    content_type: str
    chunks: AsyncGenerator[bytes]
