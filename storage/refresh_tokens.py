"""Refresh tokens: each renews its session once; one that comes twice was stolen, from us or from its owner."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from psycopg import AsyncConnection, sql

from schemas.accounts import Caller, Role
from storage.rows import fetch_one

_USE: Final = sql.SQL("""
    UPDATE refresh_tokens AS r
    SET used_at = %(at)s
    FROM user_sessions AS s
    JOIN users AS u ON u.user_id = s.user_id
    WHERE r.token_hash = %(token_hash)s
        AND r.used_at IS NULL
        AND r.expires_at > %(at)s
        AND s.session_id = r.session_id
        AND s.closed_at IS NULL
        AND s.expires_at > %(at)s
        AND u.is_active
    RETURNING s.session_id, s.expires_at, u.user_id, u.username, u.role
""")


@dataclass(frozen=True, slots=True)
class Renewal:
    """An open session whose refresh token was just used up; its person as the table of users has them now."""

    session_id: UUID
    expires_at: datetime
    user_id: UUID
    username: str
    role: Role

    @property
    def caller(self) -> Caller:
        return Caller(self.user_id, self.username, self.role, self.session_id)


@dataclass(frozen=True, slots=True)
class Family:
    """Whose token was used before, and the session that all its tokens belong to."""

    session_id: UUID
    user_id: UUID


async def keep(
    conn: AsyncConnection, token_hash: bytes, session_id: UUID, issued_at: datetime, expires_at: datetime
) -> None:
    """Make a token good, for once, until `expires_at`."""
    await conn.execute(
        """
        INSERT INTO refresh_tokens (token_hash, session_id, issued_at, expires_at)
        VALUES (%s, %s, %s, %s)
        """,
        [token_hash, session_id, issued_at, expires_at],
    )


async def use(conn: AsyncConnection, token_hash: bytes, at: datetime) -> Renewal | None:
    """Use a token up; None when it is not good. Of many callers at once exactly one gets the renewal."""
    return await fetch_one(conn, Renewal, _USE, {"token_hash": token_hash, "at": at})


async def family_of_used(conn: AsyncConnection, token_hash: bytes) -> Family | None:
    """The session of a token that was used before; None for any other, known or not."""
    query = sql.SQL("""
        SELECT s.session_id, s.user_id
        FROM refresh_tokens AS r
        JOIN user_sessions AS s ON s.session_id = r.session_id
        WHERE r.token_hash = %(token_hash)s AND r.used_at IS NOT NULL
    """)
    return await fetch_one(conn, Family, query, {"token_hash": token_hash})


async def forget_ended(conn: AsyncConnection, user_id: UUID, at: datetime) -> None:
    """Delete the tokens of a user's sessions that have expired at `at`; they can tell nothing any more."""
    await conn.execute(
        """
        DELETE FROM refresh_tokens
        WHERE session_id IN (SELECT session_id FROM user_sessions WHERE user_id = %s AND expires_at <= %s)
        """,
        [user_id, at],
    )
