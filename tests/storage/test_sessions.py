"""A session is open until it ends, one way or another."""

from datetime import timedelta
from uuid import UUID, uuid4

from psycopg import AsyncConnection

from schemas.clock import to_datetime
from storage.sessions import close_session, is_open, open_session
from tests.storage.made import START_US, a_user

NOW = to_datetime(START_US)
HOUR = timedelta(hours=1)


async def a_session(conn: AsyncConnection, user_id: UUID) -> UUID:
    session_id = uuid4()
    await open_session(conn, session_id, user_id, b"hash", "x" * 400, "::1", NOW + HOUR)
    return session_id


async def test_a_session_is_open_until_it_expires(conn: AsyncConnection) -> None:
    session_id = await a_session(conn, (await a_user(conn)).user_id)
    assert await is_open(conn, session_id, NOW)
    assert not await is_open(conn, session_id, NOW + HOUR)
    assert not await is_open(conn, uuid4(), NOW)


async def test_a_closed_session_stays_closed(conn: AsyncConnection) -> None:
    session_id = await a_session(conn, (await a_user(conn)).user_id)
    await close_session(conn, session_id)
    await close_session(conn, session_id)
    assert not await is_open(conn, session_id, NOW)


async def test_a_user_who_is_switched_off_has_no_open_session(conn: AsyncConnection) -> None:
    user = await a_user(conn)
    session_id = await a_session(conn, user.user_id)
    await conn.execute("UPDATE users SET is_active = false WHERE user_id = %s", [user.user_id])
    assert not await is_open(conn, session_id, NOW)
