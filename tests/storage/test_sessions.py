"""A session is open until it ends, one way or another."""

from datetime import timedelta
from uuid import UUID, uuid4

from psycopg import AsyncConnection

from schemas.clock import to_datetime
from storage.sessions import close_all, close_session, is_open, note_token, open_session
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
    assert await close_session(conn, session_id)
    assert not await close_session(conn, session_id)
    assert not await is_open(conn, session_id, NOW)


async def test_a_user_who_is_switched_off_has_no_open_session(conn: AsyncConnection) -> None:
    user = await a_user(conn)
    session_id = await a_session(conn, user.user_id)
    await conn.execute("UPDATE users SET is_active = false WHERE user_id = %s", [user.user_id])
    assert not await is_open(conn, session_id, NOW)


async def test_all_sessions_of_a_user_end_but_the_one_to_keep(conn: AsyncConnection) -> None:
    user, other = await a_user(conn), await a_user(conn)
    first, second, kept = [await a_session(conn, user.user_id) for _ in range(3)]
    theirs = await a_session(conn, other.user_id)
    assert await close_all(conn, user.user_id, NOW, keep=kept) == 2
    assert [await is_open(conn, one, NOW) for one in (first, second, kept, theirs)] == [False, False, True, True]
    assert await close_all(conn, user.user_id, NOW) == 1
    assert await close_all(conn, user.user_id, NOW) == 0


async def test_a_session_keeps_the_hash_of_its_newest_token(conn: AsyncConnection) -> None:
    session_id = await a_session(conn, (await a_user(conn)).user_id)
    await note_token(conn, session_id, b"newer")
    cursor = await conn.execute("SELECT token_hash FROM user_sessions WHERE session_id = %s", [session_id])
    assert await cursor.fetchone() == (b"newer",)
