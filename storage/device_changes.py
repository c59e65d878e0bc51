"""Devices changed and deleted; what they recorded stays where it is, and whose it was."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Final
from uuid import UUID

from psycopg import AsyncConnection, sql
from psycopg.errors import UniqueViolation

from schemas.accounts import Device
from schemas.errors import Duplicate, Forbidden, NotFound
from storage.access import Access
from storage.devices import COLUMNS, device, not_found
from storage.rows import fetch_one

OWNERS: Final = frozenset(
    {"device_type", "device_serial", "device_name", "manufacturer", "model", "firmware_version", "is_active"}
)
"""What an owner may change of a device."""

MANAGED: Final = OWNERS | {"user_id"}
"""What an admin may change of any device."""


async def changeable(conn: AsyncConnection, access: Access, device_id: UUID) -> Device:
    """A device that is the caller's to change. Raises NotFound, Forbidden for a doctor who may only read it."""
    found = await device(conn, access, device_id)
    if not access.may_change(found.user_id):
        raise Forbidden(f"device {device_id} is a patient's, which you may read but not change; ask them or an admin")
    return found


async def update_device(conn: AsyncConnection, device_id: UUID, changes: Mapping[str, object]) -> Device:
    """Set the columns named in `changes` (of MANAGED); a new owner gets the device, and none of its history.

    Raises NotFound for an unknown device or owner, Duplicate for a serial number that is taken.
    """
    await _check_owner(conn, changes.get("user_id"))
    names = sorted(MANAGED & changes.keys())
    if not names:
        raise ValueError("no change is named")
    query = sql.SQL("""
        UPDATE devices AS d
        SET {assignments}
        WHERE d.device_id = %(device_id)s AND d.deleted_at IS NULL
        RETURNING {columns}
    """).format(
        assignments=sql.SQL(", ").join(
            sql.SQL("{} = {}").format(sql.Identifier(name), sql.Placeholder(name)) for name in names
        ),
        columns=COLUMNS,
    )
    try:
        async with conn.transaction():
            changed = await fetch_one(conn, Device, query, {**changes, "device_id": device_id})
    except UniqueViolation as error:
        raise Duplicate(
            f"a device with the serial number {changes.get('device_serial')!r} is registered already; delete that one "
            "first, or check the number"
        ) from error
    if changed is None:
        raise not_found(device_id)
    return changed


async def delete_device(conn: AsyncConnection, device_id: UUID, at: datetime) -> None:
    """Hide a device for good: inactive, without a token, its serial number free again. Raises NotFound."""
    cursor = await conn.execute(
        """
        UPDATE devices
        SET deleted_at = %s, is_active = false, token_hash = NULL
        WHERE device_id = %s AND deleted_at IS NULL
        """,
        [at, device_id],
    )
    if cursor.rowcount == 0:
        raise not_found(device_id)


async def _check_owner(conn: AsyncConnection, user_id: object) -> None:
    """A lock, so that the new owner is not deleted meanwhile."""
    if user_id is None:
        return
    query = "SELECT FROM users WHERE user_id = %s AND deleted_at IS NULL FOR SHARE"
    if (await conn.execute(query, [user_id])).rowcount == 0:
        raise NotFound(f"no user {user_id}; create the user first, or leave user_id out")
