"""Tokens and passwords: JWTs for people, opaque tokens for devices and renewals, argon2id for passwords."""

from __future__ import annotations

import hashlib
import secrets
import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache, partial
from typing import Any, Final, get_args
from uuid import UUID

import jwt
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from schemas.accounts import Caller, Role
from schemas.errors import Unauthenticated
from schemas.settings import SecuritySettings
from web.hashing import HashingPool

DEVICE_PREFIX: Final = "lwd_"
REFRESH_PREFIX: Final = "lwr_"
_ISSUER: Final = "leadwire"
_REQUIRED: Final = ["iss", "sub", "name", "role", "sid", "iat", "exp"]
_LOG_IN: Final = "log in again with POST auth/login"
_EXPIRED: Final = f"the access token has expired; {_LOG_IN}"
_REMEMBERED: Final = 10_000
"""Tokens whose signature was verified, some 10 MB: a request looks at its token twice, and 100 µs each add up."""

_hasher = PasswordHasher()
"""argon2id with argon2-cffi's defaults, RFC 9106's second recommendation: 64 MiB, 3 passes, 4 lanes."""

_pool = HashingPool()


def issue(caller: Caller, settings: SecuritySettings, now: datetime, until: datetime | None = None) -> str:
    """A signed access token for `caller`, good until access_token_expire_hours after `now`, at most `until`."""
    claims = {
        "iss": _ISSUER,
        "sub": str(caller.user_id),
        "name": caller.username,
        "role": caller.role,
        "sid": str(caller.session_id),
        "iat": now,
        "exp": expires_at(settings, now, until),
    }
    key = settings.secret_key.get_secret_value()
    return jwt.encode(claims, key, algorithm=settings.algorithm, headers={"kid": key_id(key)})


def expires_at(settings: SecuritySettings, now: datetime, until: datetime | None = None) -> datetime:
    """When a token issued at `now` ends: never after `until`, the end of its session."""
    end = now + timedelta(hours=settings.access_token_expire_hours)
    return end if until is None else min(end, until)


def read(token: str, settings: SecuritySettings) -> Caller:
    """Who holds `token`.

    The algorithm and the keys are ours; the token's `kid` only picks one of them. Raises Unauthenticated.
    """
    keys = tuple(key.get_secret_value() for key in settings.verifying_keys)
    try:
        known = _verified(token, keys, settings.algorithm)
    except jwt.ExpiredSignatureError:
        raise Unauthenticated(_EXPIRED) from None
    except (jwt.InvalidTokenError, ValueError):
        raise Unauthenticated(f"the access token is not valid; {_LOG_IN}") from None
    if known.expires_at_s <= time.time():
        raise Unauthenticated(_EXPIRED)
    return known.caller


@dataclass(frozen=True, slots=True)
class _Verified:
    caller: Caller
    expires_at_s: float


@lru_cache(maxsize=_REMEMBERED)
def _verified(token: str, keys: tuple[str, ...], algorithm: str) -> _Verified:
    """Only what raises nothing is remembered, so forgeries take no room."""
    kid = jwt.get_unverified_header(token).get("kid")
    key = next((key for key in keys if key_id(key) == kid), None)
    if key is None:
        raise Unauthenticated(f"the access token was signed with another key; {_LOG_IN}")
    options: jwt.types.Options = {"require": _REQUIRED}
    claims = jwt.decode(token, key, algorithms=[algorithm], issuer=_ISSUER, options=options)
    return _Verified(_caller(claims), float(claims["exp"]))


def _caller(claims: dict[str, Any]) -> Caller:
    roles: dict[str, Role] = {role: role for role in get_args(Role)}
    if claims["role"] not in roles:
        raise ValueError("a role that is not ours")
    return Caller(UUID(claims["sub"]), str(claims["name"]), roles[claims["role"]], UUID(claims["sid"]))


@lru_cache(maxsize=8)
def key_id(key: str) -> str:
    """The `kid` of a signing key: enough of its hash to tell two keys apart, too little to guess either."""
    return hashlib.sha256(b"leadwire kid " + key.encode()).hexdigest()[:8]


async def hash_password(password: str) -> str:
    """The argon2id hash to store; about 50 ms of another thread. Raises Busy when too many wait for theirs."""
    return await _pool.run(partial(_hasher.hash, password))


async def verify_password(password: str, password_hash: str | None) -> bool:
    """Whether `password` is the one behind `password_hash`. Raises Busy when too many wait.

    None, for a user who does not exist, takes as long and is False: time tells nobody which users exist.
    """
    return await _pool.run(partial(_verify, password, password_hash))


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


def new_refresh_token() -> str:
    """256 random bits that renew a session once; stored as token_hash()."""
    return REFRESH_PREFIX + secrets.token_urlsafe(32)


def token_hash(token: str) -> bytes:
    """SHA-256: 256 random bits need no slow hash, and a look-up by hash compares no secret byte by byte."""
    return hashlib.sha256(token.encode()).digest()
