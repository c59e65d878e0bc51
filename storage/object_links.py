"""Signed links to files in a local folder: good for one key and name, until a moment."""

from __future__ import annotations

import hashlib
import hmac
from typing import Final

from pydantic import SecretStr

from schemas.errors import Forbidden

_PURPOSE: Final = b"leadwire object link 1\n"
"""Apart from every other use of the secret: no signature made for something else opens a file."""


def sign(secret: SecretStr, key: str, expires: int, filename: str) -> str:
    """The signature, in hexadecimal, of a link that ends at `expires`, in Unix seconds."""
    message = _PURPOSE + f"{key}\n{expires}\n{filename}".encode()
    return hmac.new(secret.get_secret_value().encode(), message, hashlib.sha256).hexdigest()


def verify_signature(secret: SecretStr, key: str, expires: int, filename: str, signature: str, now_s: float) -> None:
    """Raise Forbidden unless `sign` made this link and it has not ended at `now_s`, in Unix seconds."""
    expected = sign(secret, key, expires, filename)
    if not hmac.compare_digest(expected.encode(), signature.encode()):
        raise Forbidden("the link is not one of ours, or was changed; ask for a new one")
    if now_s >= expires:
        raise Forbidden("the link has expired; ask for a new one")
