"""What a backup says of itself: sums and sizes of every file, and what the database held."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from schemas.errors import Malformed, NotFound

FORMAT: Final = 1
MANIFEST: Final = "backup.json"
BEGUN: Final = "begun.json"
"""In place of the manifest until the backup is whole."""
DATABASE: Final = "database"
OBJECTS: Final = "objects"
OBJECT_LIST: Final = "objects.jsonl"

_CHUNK_BYTES: Final = 1 << 20

Advance = Callable[[int], None]
"""Told how many bytes were dealt with since it was told last."""


@dataclass(frozen=True, slots=True)
class KeptFile:
    """A file of a backup: below its folder, or an object by its key; the sum is SHA-256 in hex."""

    name: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """A whole backup; `objects` is None when it was made without them, `head` is the audit log's newest entry."""

    backup_id: str
    leadwire: str
    taken_at: str
    finished_at: str
    server: int
    timescale: str | None
    program: int
    migrations: list[str]
    rows: dict[str, int]
    head: str
    kafka: str | None
    database: list[KeptFile]
    objects: KeptFile | None
    object_count: int
    object_bytes: int
    problems: list[str] = field(default_factory=list)
    format: int = FORMAT

    @property
    def database_bytes(self) -> int:
        """Of the dump, as it lies in the backup."""
        return sum(kept.size for kept in self.database)


def write(folder: Path, manifest: Manifest) -> None:
    """Write it whole or not at all, with a sum of its own; from now on the folder is a backup."""
    told = asdict(manifest)
    text = json.dumps(told | {"sum": _sum(told)}, indent=1)
    temporary = folder / f".{MANIFEST}"
    with temporary.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(folder / MANIFEST)


def read(folder: Path) -> Manifest:
    """The manifest of a whole backup. Raises NotFound where there is none, Malformed for one that is damaged."""
    try:
        told: dict[str, Any] = json.loads((folder / MANIFEST).read_text("utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        begun = (folder / BEGUN).exists()
        remedy = (
            "it was begun and did not end: run the same `leadwire backup` again" if begun else "name another folder"
        )
        raise NotFound(f"{folder} holds no whole backup; {remedy}") from None
    except (OSError, ValueError) as error:
        raise Malformed(f"{folder / MANIFEST} can't be read ({error}); take another backup") from None
    if not isinstance(told, dict) or told.get("format") != FORMAT:
        raise Malformed(f"{folder / MANIFEST} is not of format {FORMAT}; restore it with the Leadwire that made it")
    if told.pop("sum", None) != _sum(told):
        raise Malformed(f"{folder / MANIFEST} was changed after it was written; take another backup")
    kept = told["objects"]
    return Manifest(
        **told
        | {
            "database": [KeptFile(**each) for each in told["database"]],
            "objects": None if kept is None else KeptFile(**kept),
        }
    )


def _sum(told: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()


def keep(folder: Path, path: Path, advance: Advance = lambda _: None) -> KeptFile:
    """Size and sum of a file below `folder`, read once."""
    digest, size = hashlib.sha256(), 0
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            digest.update(chunk)
            size += len(chunk)
            advance(len(chunk))
    return KeptFile(path.relative_to(folder).as_posix(), size, digest.hexdigest())


def object_list(folder: Path) -> Iterator[KeptFile]:
    """The objects of a backup, in the order they were copied; a line that was not written to its end is left out."""
    path = folder / OBJECT_LIST
    if not path.exists():
        return
    with path.open(encoding="utf-8") as file:
        for line in file:
            try:
                yield KeptFile(**json.loads(line))
            except (ValueError, TypeError):
                continue


def problem_of(folder: Path, kept: KeptFile, advance: Advance) -> str | None:
    """What is wrong with a file of the backup, or None."""
    path = folder / kept.name
    if not path.is_file():
        return f"{kept.name} is missing"
    if path.stat().st_size != kept.size:
        return f"{kept.name} has {path.stat().st_size} bytes and had {kept.size}"
    if keep(folder, path, advance).sha256 != kept.sha256:
        return f"{kept.name} is damaged: its SHA-256 is another"
    return None
