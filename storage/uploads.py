"""Uploads: upload_logs, a line for each file that came in, whatever became of it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from psycopg import AsyncConnection

from schemas.files import FileKind, UploadOutcome

_TRIES: Final = 20
"""A user's lines of one filename differ in their microsecond (the replaced system's rule)."""


@dataclass(frozen=True, slots=True)
class Claim:
    """The row that an upload is to fill: a new one, or that of an earlier try; `is_done` if it has its file."""

    row_id: UUID
    key: str
    is_done: bool


@dataclass(frozen=True, slots=True)
class UploadLine:
    """One line of upload_logs; `file_path` is the object's key, empty for a file that was refused before it had one."""

    user_id: UUID
    filename: str
    file_type: FileKind
    upload_status: UploadOutcome
    uploaded_at: datetime
    file_path: str = ""
    file_size: int | None = None
    sha256: bytes | None = None
    report_id: UUID | None = None
    file_id: UUID | None = None
    cloud_service: str | None = None
    cloud_url: str | None = None
    error_message: str | None = None


async def log(conn: AsyncConnection, line: UploadLine) -> None:
    """Add a line, a few microseconds later if another has its name and moment."""
    for later_us in range(_TRIES):
        cursor = await conn.execute(
            """
            INSERT INTO upload_logs (
                user_id, filename, file_type, upload_status, uploaded_at, file_path, file_size, sha256, report_id,
                file_id, cloud_service, cloud_url, error_message
            )
            VALUES (
                %(user_id)s, %(filename)s, %(file_type)s, %(upload_status)s, %(uploaded_at)s, %(file_path)s,
                %(file_size)s, %(sha256)s, %(report_id)s, %(file_id)s, %(cloud_service)s, %(cloud_url)s,
                %(error_message)s
            )
            ON CONFLICT (user_id, filename, uploaded_at) DO NOTHING
            """,
            {**asdict(line), "uploaded_at": line.uploaded_at + timedelta(microseconds=later_us)},
        )
        if cursor.rowcount:
            return
