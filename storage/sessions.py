"""Sessions: who is logged in, so that a token can be ended before it expires."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from psycopg import AsyncConnection


async def open_session(
    conn: AsyncConnection,
    session_id: UUID,
    user_id: UUID,
    token_hash: bytes,
    device_info: str | None,
    ip_address: str | None,
    expires_at: datetime,
) -> None:
    """Begin a session; `device_info` is cut to its column's 255 characters."""
    await conn.execute(
        """
        INSERT INTO user_sessions (session_id, user_id, token_hash, device_info, ip_address, expires_at)
        VALUES (%s, %s, %s, left(%s, 255), %s, %s)
        """,
        [session_id, user_id, token_hash, device_info, ip_address, expires_at],
    )


async def is_open(conn: AsyncConnection, session_id: UUID, at: datetime) -> bool:
    """Whether the session is neither closed nor expired at `at`, and its user is active."""
    cursor = await conn.execute(
        """
        SELECT EXISTS (
            SELECT
            FROM user_sessions AS s
            JOIN users AS u ON u.user_id = s.user_id
            WHERE s.session_id = %s AND s.closed_at IS NULL AND s.expires_at > %s AND u.is_active
        )
        """,
        [session_id, at],
    )
    return (await cursor.fetchone()) == (True,)


async def open_until(conn: AsyncConnection, session_id: UUID, at: datetime) -> datetime | None:
    """When the session ends by itself; None unless it is open at `at`, as `is_open` says it."""
    cursor = await conn.execute(
        """
        SELECT s.expires_at
        FROM user_sessions AS s
        JOIN users AS u ON u.user_id = s.user_id
        WHERE s.session_id = %s AND s.closed_at IS NULL AND s.expires_at > %s AND u.is_active
        """,
        [session_id, at],
    )
    row = await cursor.fetchone()
    return row[0] if row else None


async def note_token(conn: AsyncConnection, session_id: UUID, token_hash: bytes) -> None:
    """Keep the hash of the session's newest access token."""
    await conn.execute("UPDATE user_sessions SET token_hash = %s WHERE session_id = %s", [token_hash, session_id])


async def close_session(conn: AsyncConnection, session_id: UUID) -> bool:
    """End a session; whether it was open. Ending it twice changes nothing."""
    closed = await conn.execute(
        "UPDATE user_sessions SET closed_at = now() WHERE session_id = %s AND closed_at IS NULL", [session_id]
    )
    return closed.rowcount > 0


async def close_all(conn: AsyncConnection, user_id: UUID, at: datetime, *, keep: UUID | None = None) -> int:
    """End every session of a user that is open at `at`, but for `keep`; how many there were."""
    closed = await conn.execute(
        """
        UPDATE user_sessions
        SET closed_at = now()
        WHERE user_id = %s AND closed_at IS NULL AND expires_at > %s AND session_id IS DISTINCT FROM %s
        """,
        [user_id, at, keep],
    )
    return closed.rowcount
