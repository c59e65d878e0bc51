"""Users changed and deleted: what ends with an account, and the last admin who stays."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, get_args
from uuid import UUID

from psycopg import AsyncConnection, sql
from psycopg.errors import UniqueViolation

from schemas.accounts import User
from schemas.errors import StillNeeded
from storage import care, sessions
from storage.accounts import COLUMNS, not_found, taken
from storage.profiles import ProfileField
from storage.rows import fetch_one

PROFILE: Final = frozenset(get_args(ProfileField))
"""What people may change of themselves."""

MANAGED: Final = PROFILE | {"username", "serial_number", "role", "is_active"}
"""What an admin may change of anybody."""


@dataclass(frozen=True, slots=True)
class DeletedUser:
    """What went with an account."""

    device_ids: list[UUID]


async def update_user(conn: AsyncConnection, user_id: UUID, changes: Mapping[str, object], at: datetime) -> User:
    """Set the columns named in `changes` (of MANAGED); whose they are to set is for the caller to know.

    Another role, or none any more, ends the user's sessions: a token says the role it was issued for. Raises NotFound,
    Duplicate for a name, email or serial number that is taken, StillNeeded for the last active admin.
    """
    before = await _locked(conn, user_id)
    after = await _set(conn, user_id, changes, at)
    await _keep_an_admin(conn, before)
    if not after.is_active or after.role != before.role:
        await sessions.close_all(conn, user_id, at)
    if before.role == "doctor" and after.role != "doctor":
        await care.end_all(conn, user_id, at)
    return after


async def delete_user(conn: AsyncConnection, user_id: UUID, at: datetime) -> DeletedUser:
    """Hide an account for good: it and its devices are inactive, sessions, tokens and care ended; data are kept.

    Raises NotFound, StillNeeded for the last active admin.
    """
    before = await _locked(conn, user_id)
    await conn.execute(
        "UPDATE users SET deleted_at = %(at)s, updated_at = %(at)s, is_active = false WHERE user_id = %(user_id)s",
        {"user_id": user_id, "at": at},
    )
    await _keep_an_admin(conn, before)
    await sessions.close_all(conn, user_id, at)
    await care.end_all(conn, user_id, at)
    cursor = await conn.execute(
        """
        UPDATE devices
        SET deleted_at = %(at)s, is_active = false, token_hash = NULL
        WHERE user_id = %(user_id)s AND deleted_at IS NULL
        RETURNING device_id
        """,
        {"user_id": user_id, "at": at},
    )
    return DeletedUser([device_id for (device_id,) in await cursor.fetchall()])


async def _locked(conn: AsyncConnection, user_id: UUID) -> User:
    """The user as they are until this transaction ends, and with an admin all other admins, too.

    Two who demote each other at once come one after the other, in one order, so that neither waits for ever.
    """
    await conn.execute(
        """
        SELECT
        FROM users
        WHERE user_id = %(user_id)s OR (role = 'admin' AND is_active AND deleted_at IS NULL)
        ORDER BY user_id
        FOR NO KEY UPDATE
        """,
        {"user_id": user_id},
    )
    query = sql.SQL("SELECT {columns} FROM users AS u WHERE u.user_id = %(user_id)s AND u.deleted_at IS NULL")
    found = await fetch_one(conn, User, query.format(columns=COLUMNS), {"user_id": user_id})
    if found is None:
        raise not_found(user_id)
    return found


async def _set(conn: AsyncConnection, user_id: UUID, changes: Mapping[str, object], at: datetime) -> User:
    names = sorted(MANAGED & changes.keys())
    query = sql.SQL("""
        UPDATE users AS u
        SET {assignments}
        WHERE u.user_id = %(user_id)s
        RETURNING {columns}
    """).format(
        assignments=sql.SQL(", ").join(
            sql.SQL("{} = {}").format(sql.Identifier(name), sql.Placeholder(name)) for name in [*names, "updated_at"]
        ),
        columns=COLUMNS,
    )
    try:
        async with conn.transaction():
            changed = await fetch_one(conn, User, query, {**changes, "user_id": user_id, "updated_at": at})
    except UniqueViolation as error:
        raise taken(error) from error
    if changed is None:
        raise not_found(user_id)
    return changed


async def _keep_an_admin(conn: AsyncConnection, before: User) -> None:
    """Raises StillNeeded if `before` was an active admin and there is none left."""
    if before.role != "admin" or not before.is_active:
        return
    cursor = await conn.execute(
        "SELECT EXISTS (SELECT FROM users WHERE role = 'admin' AND is_active AND deleted_at IS NULL)"
    )
    if (await cursor.fetchone()) != (True,):
        raise StillNeeded(
            f"{before.username} is the last active admin, and somebody must be; make another user an admin first "
            "(PUT users/{user_id} with the role admin)"
        )
