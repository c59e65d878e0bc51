"""Object checksums: the SHA-256 that goes with each file, and what is said of a file that is not what was put there."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncGenerator
from contextlib import aclosing
from pathlib import Path
from typing import Final

from schemas.errors import Malformed

SHA256: Final = "sha256"
"""The name, in an object's metadata, of its SHA-256 in hexadecimal."""


def sha256_of(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def sha256_of_file(path: Path) -> str:
    """Read in pieces."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def checked(key: str, expected: str | None, data: bytes) -> bytes:
    """The same bytes. Raises Malformed when they are not the ones put there; without a checksum nobody can tell."""
    if expected and (found := sha256_of(data)) != expected:
        raise damaged(key, expected, found)
    return data


async def checked_chunks(key: str, expected: str | None, chunks: AsyncGenerator[bytes]) -> AsyncGenerator[bytes]:
    """The same chunks, of a whole file. Raises Malformed in place of the last one when they are not what was put there.

    The last one is held back until all are counted in: whoever passes them on is left with too few bytes, which every
    HTTP client notices, and not with a whole file that is wrong.
    """
    counted = hashlib.sha256()
    held: bytes | None = None
    async with aclosing(chunks):
        async for chunk in chunks:
            counted.update(chunk)
            if held is not None:
                yield held
            held = chunk
    if expected and counted.hexdigest() != expected:
        raise damaged(key, expected, counted.hexdigest())
    if held is not None:
        yield held


def damaged(key: str, expected: str, found: str) -> Malformed:
    """A datum that can't be used: the others can, and asking again does not help."""
    return Malformed(
        f"the file {key} in the object store is damaged: its SHA-256 is {found[:16]}…, and {expected[:16]}… was put "
        "there; restore it from a backup, or store it again"
    )
