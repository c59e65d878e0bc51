"""The old system's files below a folder, and the entries in them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import tzinfo
from pathlib import Path
from typing import Final, Literal

from leadwire.import_fields import Entry, entry_of
from schemas.errors import NotFound

Kind = Literal["user", "upload", "report"]

_USERS: Final = ("users.json", "user.json")
_UPLOADS: Final = ("upload_log.json", "upload_logs.json", "uploads.json")
_REPORTS: Final = ("reports.json", "report_metadata.json", "reports_metadata.json")
_WRAPPED: Final = {
    "user": ("users", "accounts"),
    "upload": ("uploads", "upload_log", "upload_logs", "files", "entries"),
    "report": ("reports", "entries", "items"),
}
_NAMED_BY: Final = {"user": "username", "upload": "filename", "report": "filename"}
_MAX_BYTES: Final = 512 * 2**20


@dataclass(frozen=True, slots=True)
class Found:
    """One entry and where it stands; `problem` says why it is none."""

    kind: Kind
    file: Path
    where: str
    entry: Entry | None
    problem: str | None = None


def find(folder: Path, zone: tzinfo) -> list[Found]:
    """Every entry below `folder`: users first, since the others are theirs. Raises NotFound when there is no file."""
    if not folder.is_dir():
        raise NotFound(f"{folder} is no folder; give the one that holds users.json, upload_log.json or reports/")
    files = [*_named(folder, "user", _USERS), *_named(folder, "upload", _UPLOADS), *_reports(folder)]
    if not files:
        raise NotFound(
            f"{folder} holds none of users.json, upload_log.json, reports.json and reports/*.json; give the old "
            "system's data folder"
        )
    return [found for kind, file in files for found in _read(kind, file, zone)]


def _named(folder: Path, kind: Kind, names: tuple[str, ...]) -> list[tuple[Kind, Path]]:
    return [(kind, folder / name) for name in names if (folder / name).is_file()]


def _reports(folder: Path) -> list[tuple[Kind, Path]]:
    own = [("report", file) for file in sorted((folder / "reports").glob("**/*.json")) if file.is_file()]
    return [*_named(folder, "report", _REPORTS), *own]  # type: ignore[list-item]  # mypy widens the literal


def _read(kind: Kind, file: Path, zone: tzinfo) -> Iterator[Found]:
    try:
        if file.stat().st_size > _MAX_BYTES:
            yield Found(kind, file, "", None, f"it is over {_MAX_BYTES >> 20} MiB; split it")
            return
        document = json.loads(file.read_bytes().decode("utf-8-sig", "replace"), parse_constant=lambda _: None)
    except (ValueError, RecursionError, OSError) as error:
        yield Found(kind, file, "", None, f"it is no JSON that can be read ({error}); mend it, and import again")
        return
    for where, value in entries(document, kind):
        if isinstance(value, Mapping):
            yield Found(kind, file, where, entry_of(value, zone))
        else:
            yield Found(kind, file, where, None, f"it is a {type(value).__name__} and no object; mend it, or leave it")


def entries(document: object, kind: Kind) -> Iterator[tuple[str, object]]:
    """Each entry with its place: of a list, of an object that holds one, of an object by name, or the object itself."""
    if isinstance(document, list):
        for number, value in enumerate(document):
            yield f"[{number}]", {_NAMED_BY[kind]: value} if isinstance(value, str) else value
        return
    if not isinstance(document, Mapping):
        yield "", document
        return
    for name in _WRAPPED[kind]:
        if isinstance(document.get(name), list | Mapping):
            yield from entries(document[name], kind)
            return
    yield from _by_name(document, kind)


def _by_name(document: Mapping[object, object], kind: Kind) -> Iterator[tuple[str, object]]:
    names, values = _NAMED_BY[kind], list(document.values())
    if values and all(isinstance(value, Mapping) for value in values) and names not in document:
        for key, value in document.items():
            own = value if isinstance(value, Mapping) else {}
            yield f".{key}", own if names in own else {names: key, **own}
    elif kind == "user" and values and names not in document and all(isinstance(value, str) for value in values):
        for key, value in document.items():
            yield f".{key}", {"username": key, "password": value}
    elif document:
        yield "", document
