"""Profiles: what people may change about themselves, and their passwords."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal, get_args
from uuid import UUID

from psycopg import AsyncConnection, sql
from psycopg.errors import UniqueViolation

from schemas.accounts import User
from schemas.errors import Duplicate, NotFound
from storage import accounts
from storage.access import everything

ProfileField = Literal["full_name", "email", "age", "gender", "phone", "address"]

_FIELDS: Final = frozenset(get_args(ProfileField))


async def update_profile(conn: AsyncConnection, user_id: UUID, told: Mapping[str, str | int | None]) -> User:
    """Change what is told, of the ProfileFields, and leave the rest; the user as they are now.

    Raises Duplicate for an email that is another's, NotFound for a user who does not exist.
    """
    changes = [sql.SQL("{} = %s").format(sql.Identifier(name)) for name in told if name in _FIELDS]
    query = sql.SQL("UPDATE users SET {changes} WHERE user_id = %s").format(
        changes=sql.SQL(", ").join([*changes, sql.SQL("updated_at = now()")])
    )
    try:
        async with conn.transaction():
            await conn.execute(query, [*(value for name, value in told.items() if name in _FIELDS), user_id])
    except UniqueViolation as error:
        raise Duplicate("a user with this email exists already; choose another email") from error
    return await accounts.user(conn, everything(), user_id)


async def password_hash(conn: AsyncConnection, user_id: UUID) -> str:
    """What to verify a user's password against. Raises NotFound."""
    cursor = await conn.execute("SELECT password_hash FROM users WHERE user_id = %s", [user_id])
    row = await cursor.fetchone()
    if row is None:
        raise NotFound(f"no user {user_id}; list them with GET users")
    return str(row[0])


async def set_password(conn: AsyncConnection, user_id: UUID, password_hash: str) -> None:
    """Keep another password's hash."""
    await conn.execute(
        "UPDATE users SET password_hash = %s, updated_at = now() WHERE user_id = %s", [password_hash, user_id]
    )
