"""Object keys: which names a file in the object store may have."""

from __future__ import annotations

import re
from typing import Final

MAX_KEY_LENGTH: Final = 500
"""ecg_reports.file_path_s3 holds no more."""

_KEY: Final = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._=-]*(/[A-Za-z0-9_-][A-Za-z0-9._=-]*)*")


def check_key(key: str) -> str:
    """The key itself. Raises ValueError for one that could name something outside the store."""
    if len(key) > MAX_KEY_LENGTH or not _KEY.fullmatch(key):
        raise ValueError(
            f"{key[:80]!r} is not an object key; use parts of letters, digits and . _ = - joined by /, none of them "
            f"beginning with a dot, {MAX_KEY_LENGTH} characters at most"
        )
    return key
