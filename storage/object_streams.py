"""Object streams: a file of the object store, read piece by piece."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from schemas.errors import Busy

CHUNK_BYTES: Final = 256 * 1024
"""The most of a file that is handed on at a time."""
WINDOW_BYTES: Final = 4 * 2**20
"""What one request asks for where a file is read by requests for its parts: Azure counts the MD5 of no more."""


@dataclass(frozen=True, slots=True)
class ObjectStat:
    """A file's size in bytes, its media type, and the SHA-256 in hexadecimal that it was put with, if known."""

    size: int
    content_type: str
    sha256: str | None = None


@dataclass(frozen=True, slots=True)
class OpenObject:
    """A file that is being read: the size of all of it, its media type, and the chunks that were asked for."""

    size: int
    content_type: str
    chunks: AsyncGenerator[bytes]


async def windows(read: Callable[[int, int], Awaitable[bytes]], first: int, end: int) -> AsyncGenerator[bytes]:
    """The bytes [first, end) in chunks, by requests for a window each; one is in memory. Raises Busy."""
    while first < end:
        last = min(first + WINDOW_BYTES, end)
        window = await read(first, last)
        if len(window) != last - first:
            raise Busy(f"the object store sent {len(window)} bytes of {last - first}; read the file again")
        for at in range(0, len(window), CHUNK_BYTES):
            yield window[at : at + CHUNK_BYTES]
        first = last
