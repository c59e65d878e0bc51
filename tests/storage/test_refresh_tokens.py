"""A refresh token is good once, in an open session of an active user, until it expires."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from psycopg import AsyncConnection

from schemas.accounts import Caller, User
from schemas.clock import now, to_datetime
from storage import refresh_tokens
from storage.accounts import NewUser, create_user
from storage.database import Database
from storage.sessions import close_session, open_session
from tests.storage.made import HASH, START_US, a_user

NOW = to_datetime(START_US)
DAY = timedelta(days=1)


async def a_token(conn: AsyncConnection, user: User, session_id: UUID) -> bytes:
    token = uuid4().bytes
    await open_session(conn, session_id, user.user_id, b"hash", None, None, NOW + DAY)
    await refresh_tokens.keep(conn, token, session_id, NOW, NOW + DAY)
    return token


async def test_a_token_is_used_once_and_tells_whose_it_was(conn: AsyncConnection) -> None:
    user, session_id = await a_user(conn, "doctor"), uuid4()
    token = await a_token(conn, user, session_id)
    assert await refresh_tokens.family_of_used(conn, token) is None
    renewal = await refresh_tokens.use(conn, token, NOW)
    assert renewal is not None
    assert renewal.caller == Caller(user.user_id, user.username, "doctor", session_id)
    assert renewal.expires_at == NOW + DAY
    assert await refresh_tokens.use(conn, token, NOW) is None
    assert await refresh_tokens.family_of_used(conn, token) == refresh_tokens.Family(session_id, user.user_id)


async def test_an_unknown_token_is_nobodys(conn: AsyncConnection) -> None:
    assert await refresh_tokens.use(conn, b"x", NOW) is None
    assert await refresh_tokens.family_of_used(conn, b"x") is None


async def test_an_expired_token_is_good_for_nothing(conn: AsyncConnection) -> None:
    token = await a_token(conn, await a_user(conn), uuid4())
    assert await refresh_tokens.use(conn, token, NOW + DAY) is None


async def test_a_closed_session_is_not_renewed(conn: AsyncConnection) -> None:
    session_id = uuid4()
    token = await a_token(conn, await a_user(conn), session_id)
    await close_session(conn, session_id)
    assert await refresh_tokens.use(conn, token, NOW) is None


async def test_a_user_who_is_switched_off_is_not_renewed(conn: AsyncConnection) -> None:
    user = await a_user(conn)
    token = await a_token(conn, user, uuid4())
    await conn.execute("UPDATE users SET is_active = false WHERE user_id = %s", [user.user_id])
    assert await refresh_tokens.use(conn, token, NOW) is None


async def test_the_tokens_of_sessions_that_ended_are_forgotten_and_no_others(conn: AsyncConnection) -> None:
    user, other = await a_user(conn), await a_user(conn)
    mine, theirs = await a_token(conn, user, uuid4()), await a_token(conn, other, uuid4())
    await refresh_tokens.forget_ended(conn, user.user_id, NOW)
    assert await refresh_tokens.use(conn, mine, NOW) is not None
    await refresh_tokens.forget_ended(conn, user.user_id, NOW + DAY)
    assert await refresh_tokens.family_of_used(conn, mine) is None
    assert await refresh_tokens.use(conn, theirs, NOW) is not None


async def test_of_many_at_once_exactly_one_gets_the_renewal(database: Database) -> None:
    token, session_id = uuid4().bytes, uuid4()
    async with database.transaction() as conn:
        user = await create_user(conn, NewUser(f"user-{uuid4()}", HASH))
        await open_session(conn, session_id, user.user_id, b"hash", None, None, now() + DAY)
        await refresh_tokens.keep(conn, token, session_id, now(), now() + DAY)

    async def try_it() -> bool:
        async with database.transaction() as conn:
            return await refresh_tokens.use(conn, token, now()) is not None

    assert sum(await asyncio.gather(*(try_it() for _ in range(8)))) == 1


async def test_the_reading_side_sees_no_refresh_token(reading: Database) -> None:
    with pytest.raises(Exception, match="permission denied"):
        async with reading.transaction() as conn:
            await conn.execute("SELECT token_hash FROM refresh_tokens")
