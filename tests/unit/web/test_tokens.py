"""Tokens say who a caller is, and can't be forged, stretched or confused."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import jwt
import pytest

from schemas import clock
from schemas.accounts import Caller
from schemas.errors import Unauthenticated
from schemas.settings import SecuritySettings
from web import tokens

KEY = "k" * 64
SETTINGS = SecuritySettings.model_validate({"secret_key": KEY})
CALLER = Caller(uuid4(), "ada", "doctor", uuid4())


def _forged(headers: dict[str, str] | None = None, key: str = KEY, algorithm: str = "HS256", **claims: object) -> str:
    plain = jwt.decode(tokens.issue(CALLER, SETTINGS, clock.now()), options={"verify_signature": False})
    kept = {name: value for name, value in {**plain, **claims}.items() if value is not None}
    return jwt.encode(kept, key, algorithm=algorithm, headers=headers or {"kid": tokens.key_id(KEY)})


def test_what_is_issued_is_read_back() -> None:
    assert tokens.read(tokens.issue(CALLER, SETTINGS, clock.now()), SETTINGS) == CALLER


def test_a_token_names_its_key() -> None:
    header = jwt.get_unverified_header(tokens.issue(CALLER, SETTINGS, clock.now()))
    assert header == {"alg": "HS256", "typ": "JWT", "kid": tokens.key_id(KEY)}


def test_a_token_ends_when_its_hours_are_over() -> None:
    token = tokens.issue(CALLER, SETTINGS, clock.now() - timedelta(hours=25))
    with pytest.raises(Unauthenticated, match="expired; log in again"):
        tokens.read(token, SETTINGS)


def test_the_key_of_another_server_is_refused() -> None:
    other = SecuritySettings.model_validate({"secret_key": "o" * 64})
    with pytest.raises(Unauthenticated, match="another key"):
        tokens.read(tokens.issue(CALLER, other, clock.now()), SETTINGS)


@pytest.mark.parametrize(
    "token",
    [
        "",
        "lwd_abc",
        "a.b.c",
        _forged(key="x" * 64),
        _forged(algorithm="HS512"),
        _forged(algorithm="none", key=""),
        _forged(role="root"),
        _forged(sub="not-a-uuid"),
        _forged(sid=None),
        _forged(exp=None),
        _forged(iss="another"),
        _forged(headers={"kid": "00000000"}),
    ],
)
def test_a_forged_or_broken_token_is_refused(token: str) -> None:
    with pytest.raises(Unauthenticated, match="log in again"):
        tokens.read(token, SETTINGS)


async def test_a_password_is_known_by_its_hash() -> None:
    stored = await tokens.hash_password("correct horse")
    assert stored.startswith("$argon2id$")
    assert await tokens.verify_password("correct horse", stored)
    assert not await tokens.verify_password("wrong horse", stored)


async def test_nobody_has_no_password() -> None:
    assert not await tokens.verify_password("anything", None)
    assert not await tokens.verify_password("anything", "not a hash")


def test_device_tokens_differ_and_are_known_by_their_hash() -> None:
    first, second = tokens.new_device_token(), tokens.new_device_token()
    assert first.startswith("lwd_")
    assert len(tokens.token_hash(first)) == 32
    assert tokens.token_hash(first) != tokens.token_hash(second)


def test_another_session_is_another_token() -> None:
    now = clock.now()
    other = replace(CALLER, session_id=uuid4())
    assert tokens.issue(CALLER, SETTINGS, now) != tokens.issue(other, SETTINGS, now)


def test_a_token_never_outlives_its_session() -> None:
    now = clock.now()
    token = tokens.issue(CALLER, SETTINGS, now, now + timedelta(minutes=5))
    claims = jwt.decode(token, options={"verify_signature": False})
    assert claims["exp"] - claims["iat"] == 300


def test_a_token_of_the_key_before_is_good_until_that_key_is_dropped() -> None:
    old_token = tokens.issue(CALLER, SETTINGS, clock.now())
    rotated = SecuritySettings.model_validate({"secret_key": "n" * 64, "previous_secret_keys": [KEY]})
    dropped = SecuritySettings.model_validate({"secret_key": "n" * 64})
    assert tokens.read(old_token, rotated) == CALLER
    with pytest.raises(Unauthenticated, match="another key"):
        tokens.read(old_token, dropped)


def test_the_newest_key_signs() -> None:
    rotated = SecuritySettings.model_validate({"secret_key": "n" * 64, "previous_secret_keys": [KEY]})
    header = jwt.get_unverified_header(tokens.issue(CALLER, rotated, clock.now()))
    assert header["kid"] == tokens.key_id("n" * 64)


def test_a_token_that_was_good_is_refused_once_it_has_expired(monkeypatch: pytest.MonkeyPatch) -> None:
    token = tokens.issue(CALLER, SETTINGS, clock.now())
    assert tokens.read(token, SETTINGS) == CALLER
    later_s = time.time() + 3601
    monkeypatch.setattr(time, "time", lambda: later_s)
    with pytest.raises(Unauthenticated, match="expired; log in again"):
        tokens.read(token, SETTINGS)


def test_refresh_tokens_differ_and_hold_256_bits() -> None:
    first, second = tokens.new_refresh_token(), tokens.new_refresh_token()
    assert first.startswith("lwr_")
    assert first != second
    assert len(first.removeprefix("lwr_")) == 43  # of 6 bits each
