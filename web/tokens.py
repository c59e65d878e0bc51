"""Tokens and passwords: JWTs for people, opaque tokens for devices, argon2id for passwords."""

from __future__ import annotations

import asyncio
import hashlib
import secrets
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Final, get_args
from uuid import UUID

import jwt
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from schemas.accounts import Caller, Role
from schemas.errors import Unauthenticated
from schemas.settings import SecuritySettings

DEVICE_PREFIX: Final = "lwd_"
_ISSUER: Final = "leadwire"
_REQUIRED: Final = ["iss", "sub", "name", "role", "sid", "iat", "exp"]
_LOG_IN: Final = "log in again with POST auth/login"

_hasher = PasswordHasher()
"""argon2id with argon2-cffi's defaults, RFC 9106's second recommendation: 64 MiB, 3 passes, 4 lanes."""


def issue(caller: Caller, settings: SecuritySettings, now: datetime) -> str:
    """A signed access token for `caller`, good until access_token_expire_hours after `now`."""
    claims = {
        "iss": _ISSUER,
        "sub": str(caller.user_id),
        "name": caller.username,
        "role": caller.role,
        "sid": str(caller.session_id),
        "iat": now,
        "exp": expires_at(settings, now),
    }
    key = settings.secret_key.get_secret_value()
    return jwt.encode(claims, key, algorithm=settings.algorithm, headers={"kid": key_id(key)})


def expires_at(settings: SecuritySettings, now: datetime) -> datetime:
    """When a token issued at `now` ends."""
    return now + timedelta(hours=settings.access_token_expire_hours)


def read(token: str, settings: SecuritySettings) -> Caller:
    """Who holds `token`.

    The algorithm and the key are ours, never the token's word. Raises Unauthenticated.
    """
    key = settings.secret_key.get_secret_value()
    try:
        if jwt.get_unverified_header(token).get("kid") != key_id(key):
            raise Unauthenticated(f"the access token was signed with another key; {_LOG_IN}")
        options: jwt.types.Options = {"require": _REQUIRED}
        claims = jwt.decode(token, key, algorithms=[settings.algorithm], issuer=_ISSUER, options=options)
        return _caller(claims)
    except jwt.ExpiredSignatureError:
        raise Unauthenticated(f"the access token has expired; {_LOG_IN}") from None
    except (jwt.InvalidTokenError, ValueError):
        raise Unauthenticated(f"the access token is not valid; {_LOG_IN}") from None


def _caller(claims: dict[str, str]) -> Caller:
    roles: dict[str, Role] = {role: role for role in get_args(Role)}
    if claims["role"] not in roles:
        raise ValueError("a role that is not ours")
    return Caller(UUID(claims["sub"]), str(claims["name"]), roles[claims["role"]], UUID(claims["sid"]))


@lru_cache(maxsize=8)
def key_id(key: str) -> str:
    """The `kid` of a signing key: enough of its hash to tell two keys apart, too little to guess either."""
    return hashlib.sha256(b"leadwire kid " + key.encode()).hexdigest()[:8]


async def hash_password(password: str) -> str:
    """The argon2id hash to store; about 50 ms of another thread."""
    return await asyncio.to_thread(_hasher.hash, password)


async def verify_password(password: str, password_hash: str | None) -> bool:
    """Whether `password` is the one behind `password_hash`.

    None, for a user who does not exist, takes as long and is False: time tells nobody which users exist.
    """
    return await asyncio.to_thread(_verify, password, password_hash)


def _verify(password: str, password_hash: str | None) -> bool:
    try:
        _hasher.verify(password_hash if password_hash is not None else _nobodys_hash(), password)
    except (VerificationError, InvalidHashError):
        return False
    return password_hash is not None


@lru_cache(maxsize=1)
def _nobodys_hash() -> str:
    return _hasher.hash(secrets.token_urlsafe(32))


def new_device_token() -> str:
    """A device's secret of 256 random bits; shown once, stored as token_hash()."""
    return DEVICE_PREFIX + secrets.token_urlsafe(32)


def token_hash(token: str) -> bytes:
    """SHA-256: 256 random bits need no slow hash, and a look-up by hash compares no secret byte by byte."""
    return hashlib.sha256(token.encode()).digest()
