"""Signed links to files in a local folder: good for one key and name, until a moment."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from typing import Final
from urllib.parse import quote

from pydantic import SecretStr

from schemas.errors import Forbidden

_PURPOSE: Final = b"leadwire object link 1\n"
"""Apart from every other use of the secret: no signature made for something else opens a file."""


def sign(secret: SecretStr, key: str, expires: int, filename: str) -> str:
    """The signature, in hexadecimal, of a link that ends at `expires`, in Unix seconds."""
    message = _PURPOSE + f"{key}\n{expires}\n{filename}".encode()
    return hmac.new(secret.get_secret_value().encode(), message, hashlib.sha256).hexdigest()


def verify_signature(
    secrets: Sequence[SecretStr], key: str, expires: int, filename: str, signature: str, now_s: float
) -> None:
    """Raise Forbidden unless one of these signed this link and it has not ended at `now_s`, in Unix seconds."""
    expected = [sign(secret, key, expires, filename).encode() for secret in secrets]
    if not any([hmac.compare_digest(one, signature.encode()) for one in expected]):  # noqa: C419  # all, in equal time
        raise Forbidden("the link is not one of ours, or was changed; ask for a new one")
    if now_s >= expires:
        raise Forbidden("the link has expired; ask for a new one")


def disposition(filename: str) -> str:
    """The Content-Disposition of a link's answer: saved under this name (RFC 6266), whatever letters it has."""
    return f"attachment; filename*=UTF-8''{quote(filename, safe='')}"
