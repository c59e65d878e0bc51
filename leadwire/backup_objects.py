"""The object store's files, copied out of it and into it: streamed, checked, and taken up again where they stopped."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final, TextIO

from leadwire.backup_manifest import OBJECT_LIST, OBJECTS, KeptFile, object_list
from leadwire.backup_progress import Told
from schemas.errors import Malformed, NotFound
from schemas.files import content_type_of_name
from storage.backups import ObjectFile
from storage.object_keys import check_key
from storage.objects import Objects

_AT_ONCE: Final = 8
"""Of a store that is far away most of the time is waiting."""


@dataclass(frozen=True, slots=True)
class Copied:
    """What became of the objects: how many lie in the backup, and which the store had not got or had otherwise."""

    count: int
    bytes: int
    missing: list[str]
    differing: list[str]


async def copy_out(store: Objects, wanted: Sequence[ObjectFile], folder: Path, told: Told) -> Copied:
    """Copy every object into the folder, but for what an earlier try has put there. Raises Busy, OSError."""
    there = {kept.name: kept for kept in object_list(folder) if _is_there(folder, kept)}
    told.step(f"objects, {len(wanted)} of them")
    copied = {file.key: there[file.key] for file in wanted if file.key in there}
    missing: list[str] = []
    damaged: list[str] = []  # the store itself says so, and gives only a part
    with (folder / OBJECT_LIST).open("w", encoding="utf-8") as listing:
        for known_file in copied.values():
            _note(listing, known_file)
        waiting = [file for file in wanted if file.key not in copied]
        for first in range(0, len(waiting), _AT_ONCE):
            some = waiting[first : first + _AT_ONCE]
            for file, kept in zip(some, await _together(store, some, folder, told), strict=True):
                if kept is None:
                    missing.append(file.key)
                elif isinstance(kept, Malformed):
                    damaged.append(file.key)
                else:
                    copied[file.key] = kept
                    _note(listing, kept)
            listing.flush()
        os.fsync(listing.fileno())
    known = {file.key: file.sha256 for file in wanted if file.sha256 is not None}
    differing = damaged + [key for key, kept in copied.items() if known.get(key, kept.sha256) != kept.sha256]
    return Copied(len(copied), sum(kept.size for kept in copied.values()), missing, differing)


def _is_there(folder: Path, kept: KeptFile) -> bool:
    path = folder / OBJECTS / kept.name
    return path.is_file() and path.stat().st_size == kept.size


def _note(listing: TextIO, kept: KeptFile) -> None:
    listing.write(json.dumps(asdict(kept)) + "\n")


async def _together(
    store: Objects, some: Iterable[ObjectFile], folder: Path, told: Told
) -> list[KeptFile | Malformed | None]:
    """Each object, or what is wrong with it; whatever else fails ends the backup, as itself."""
    found = await asyncio.gather(*(_fetch(store, file.key, folder, told) for file in some), return_exceptions=True)
    for each in found:
        if isinstance(each, BaseException) and not isinstance(each, Malformed):
            raise each
    return [each for each in found if not isinstance(each, BaseException) or isinstance(each, Malformed)]


async def _fetch(store: Objects, key: str, folder: Path, told: Told) -> KeptFile | None:
    """One object, beside its place and then renamed; None when the store has not got it."""
    path = folder / OBJECTS / check_key(key)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}")
    digest, size = hashlib.sha256(), 0
    try:
        opened = await store.open(key)
    except NotFound:
        return None
    try:
        with temporary.open("wb") as file:
            async for chunk in opened.chunks:
                digest.update(chunk)
                size += len(chunk)
                file.write(chunk)
                told.advance(len(chunk))
            file.flush()
            os.fsync(file.fileno())
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    finally:
        await opened.chunks.aclose()
    temporary.replace(path)
    return KeptFile(key, size, digest.hexdigest())


async def copy_in(store: Objects, folder: Path, told: Told) -> int:
    """Put every object of a backup into the store, but for those that are there already; how many were put."""
    await store.ensure()
    put = 0
    for kept in object_list(folder):
        if not await _has(store, kept):
            await store.put_file(kept.name, folder / OBJECTS / kept.name, content_type_of_name(kept.name))
            put += 1
        told.advance(kept.size)
    return put


async def _has(store: Objects, kept: KeptFile) -> bool:
    """Whether the store holds just this file; only reading it tells."""
    try:
        if (await store.stat(kept.name)).size != kept.size:
            return False
        opened = await store.open(kept.name)
    except NotFound:
        return False
    digest = hashlib.sha256()
    try:
        async for chunk in opened.chunks:
            digest.update(chunk)
    except Malformed:  # what is there is damaged: it is put anew
        return False
    return digest.hexdigest() == kept.sha256
