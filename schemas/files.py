"""Files: the types that may be uploaded, and the rows of those that rest in the object store."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal
from uuid import UUID

FileType = Literal["pdf", "png", "jpeg", "edf", "dicom", "xml", "json", "csv", "bin"]
"""What a file was found to be; `bin` is any other, which only an admin may store."""

FileKind = Literal["report", "file", "user_signup"]
UploadOutcome = Literal["success", "failed", "duplicate"]

OCTET_STREAM: Final = "application/octet-stream"

CONTENT_TYPES: Final[Mapping[FileType, str]] = {
    "pdf": "application/pdf",
    "png": "image/png",
    "jpeg": "image/jpeg",
    "edf": "application/edf",
    "dicom": "application/dicom",
    "xml": "application/xml",
    "json": "application/json",
    "csv": "text/csv",
    "bin": OCTET_STREAM,
}

ENDINGS: Final[Mapping[FileType, tuple[str, ...]]] = {
    "pdf": ("pdf",),
    "png": ("png",),
    "jpeg": ("jpg", "jpeg"),
    "edf": ("edf", "rec"),
    "dicom": ("dcm", "dicom"),
    "xml": ("xml",),
    "json": ("json",),
    "csv": ("csv", "tsv", "txt"),
    "bin": ("bin",),
}
"""The endings that names of such a file have; the first is the one our object keys get."""

_TYPE_BY_ENDING: Final[Mapping[str, FileType]] = {e: kind for kind, endings in ENDINGS.items() for e in endings}


def content_type_of_type(file_type: str) -> str:
    """The media type of a row's file_type; octet-stream for one that is not ours."""
    return next((media for kind, media in CONTENT_TYPES.items() if kind == file_type), OCTET_STREAM)


def content_type_of_name(name: str) -> str:
    """The media type that a key's or file's ending promises; octet-stream for one that is not ours."""
    kind = _TYPE_BY_ENDING.get(name.rpartition(".")[2].lower())
    return CONTENT_TYPES[kind] if kind is not None else OCTET_STREAM


@dataclass(frozen=True, slots=True)
class CloudFile:
    """A file in the object store, whatever table its row is in; `file_id` of a report is its report_id."""

    file_id: UUID
    user_id: UUID | None
    kind: FileKind
    filename: str
    file_path_s3: str
    file_size: int | None
    file_type: str
    sha256: str | None
    cloud_service: str | None
    cloud_url: str | None
    created_at: datetime
    uploaded_at: datetime | None


@dataclass(frozen=True, slots=True)
class UploadedFile:
    """A file that came in, before any row tells of it; `filename` is for display, `sha256` its 32 bytes."""

    user_id: UUID
    uploaded_by: UUID
    filename: str
    file_type: FileType
    file_size: int
    sha256: bytes
