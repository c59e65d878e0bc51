"""Object keys: which names a file in the object store may have, and what each kind of file is called there."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Final
from uuid import UUID

from schemas.files import ENDINGS, FileType

MAX_KEY_LENGTH: Final = 500
"""ecg_reports.file_path_s3 holds no more."""

ARCHIVE: Final = "archive"
"""Every key of the archive begins with it."""

ARCHIVE_MANIFEST: Final = "manifest.json"

_KEY: Final = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._=-]*(/[A-Za-z0-9_-][A-Za-z0-9._=-]*)*")


def check_key(key: str) -> str:
    """The key itself. Raises ValueError for one that could name something outside the store."""
    if len(key) > MAX_KEY_LENGTH or not _KEY.fullmatch(key):
        raise ValueError(
            f"{key[:80]!r} is not an object key; use parts of letters, digits and . _ = - joined by /, none of them "
            f"beginning with a dot, {MAX_KEY_LENGTH} characters at most"
        )
    return key


def report_key(device_id: UUID, report_id: UUID) -> str:
    """Where a report rests that a worker wrote; written again, it takes its own place."""
    return check_key(f"reports/{device_id}/{report_id}.pdf")


def imported_report_key(report_id: UUID, suffix: str) -> str:
    """Where a report of the old system rests; `suffix` is its file's ending with the dot, or nothing."""
    return check_key(f"reports/imported/{report_id}{suffix}")


def uploaded_report_key(user_id: UUID, report_id: UUID, file_type: FileType) -> str:
    """Where an uploaded report rests; made of ids, so that no client's filename gets into a key."""
    return check_key(f"uploads/{user_id}/{report_id}.{ENDINGS[file_type][0]}")


def cloud_file_key(user_id: UUID, file_id: UUID, file_type: FileType) -> str:
    """Where a file of `cloud/upload` rests."""
    return check_key(f"cloud/{user_id}/{file_id}.{ENDINGS[file_type][0]}")


def signup_key(user_id: UUID, file_id: UUID) -> str:
    """Where a user's signup record rests."""
    return check_key(f"signups/{user_id}/{file_id}.json")


def archive_day_prefix(device_id: UUID, hour_at: datetime) -> str:
    """Where the records of one device and day (UTC) rest, and their manifest."""
    return check_key(f"{ARCHIVE}/{device_id}/{hour_at:%Y/%m/%d}")


def archive_manifest_key(device_id: UUID, hour_at: datetime) -> str:
    """The manifest of a device's day."""
    return check_key(f"{archive_day_prefix(device_id, hour_at)}/{ARCHIVE_MANIFEST}")


def archive_record_key(device_id: UUID, recording_id: UUID, hour_at: datetime, generation: int, part: int) -> str:
    """A WFDB record's files without their endings; its last part is the record's name."""
    name = f"{hour_at:%H}-{recording_id}-{generation}" + (f"-{part}" if part else "")
    return check_key(f"{archive_day_prefix(device_id, hour_at)}/{name}")
