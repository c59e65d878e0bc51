"""Devices: who they belong to, and the hash of the token they come in with."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from psycopg import AsyncConnection, sql
from psycopg.errors import UniqueViolation

from schemas.accounts import Device, DeviceCaller, DeviceType
from schemas.errors import Duplicate, NotFound
from schemas.pages import Page, PageRequest
from storage import pages
from storage.access import Access
from storage.pages import Key, Listing
from storage.rows import fetch_all, fetch_one, given, where

COLUMNS: Final = sql.SQL("""
    d.device_id, d.user_id, d.device_type, d.device_serial, d.device_name, d.manufacturer, d.model,
    d.firmware_version, d.is_active, d.registered_at, d.last_seen""")


BY_REGISTRATION: Final = (Key("d.registered_at", "timestamptz"), Key("d.device_id", "uuid"))


@dataclass(frozen=True, slots=True)
class NewDevice:
    """A device to be registered; without `user_id` it belongs to nobody yet, and only an admin sees it."""

    user_id: UUID | None
    device_type: DeviceType = "ecg"
    device_serial: str | None = None
    device_name: str | None = None
    manufacturer: str | None = None
    model: str | None = None
    firmware_version: str | None = None


@dataclass(frozen=True, slots=True)
class DeviceOwner:
    """What the pipeline must know of a device."""

    device_id: UUID
    user_id: UUID | None
    is_active: bool


async def register(conn: AsyncConnection, new: NewDevice, token_hash: bytes) -> Device:
    """Insert a device. Raises Duplicate if its serial number is registered already, NotFound for an unknown user."""
    query = sql.SQL("""
        INSERT INTO devices AS d (
            user_id, device_type, device_serial, device_name, manufacturer, model, firmware_version, token_hash
        )
        SELECT
            %(user_id)s::uuid, %(device_type)s, %(device_serial)s, %(device_name)s, %(manufacturer)s, %(model)s,
            %(firmware_version)s, %(token_hash)s
        WHERE %(user_id)s::uuid IS NULL OR EXISTS (
            SELECT
            FROM users
            WHERE user_id = %(user_id)s::uuid AND deleted_at IS NULL
        )
        RETURNING {columns}
    """).format(columns=COLUMNS)
    try:
        async with conn.transaction():
            created = await fetch_one(conn, Device, query, {**asdict(new), "token_hash": token_hash})
    except UniqueViolation as error:
        raise Duplicate(
            f"a device with the serial number {new.device_serial!r} is registered already; rotate its token instead"
        ) from error
    if created is None:
        raise NotFound(f"no user {new.user_id}; create the user first, or leave user_id out")
    return created


async def set_token(conn: AsyncConnection, access: Access, device_id: UUID, token_hash: bytes | None) -> None:
    """Replace a device's token, or take it away; the old one is refused from then on. Raises NotFound."""
    query = sql.SQL("""
        UPDATE devices AS d
        SET token_hash = %(token_hash)s
        WHERE d.device_id = %(device_id)s AND d.deleted_at IS NULL AND {scope}
    """).format(scope=access.clause("d.user_id"))
    cursor = await conn.execute(query, {**access.params, "device_id": device_id, "token_hash": token_hash})
    if cursor.rowcount == 0:
        raise not_found(device_id)


async def by_token(conn: AsyncConnection, token_hash: bytes) -> DeviceCaller | None:
    """The active device whose token has this hash."""
    query = sql.SQL("SELECT device_id, user_id FROM devices WHERE token_hash = %(token_hash)s AND is_active")
    return await fetch_one(conn, DeviceCaller, query, {"token_hash": token_hash})


async def by_tokens(conn: AsyncConnection, token_hashes: Collection[bytes]) -> dict[bytes, DeviceCaller]:
    """The active device of each of these tokens' hashes; the others are missing from the answer."""
    cursor = await conn.execute(
        "SELECT token_hash, device_id, user_id FROM devices WHERE token_hash = ANY(%s::bytea[]) AND is_active",
        [list(token_hashes)],
    )
    return {bytes(token): DeviceCaller(device_id, user_id) for token, device_id, user_id in await cursor.fetchall()}


async def device(conn: AsyncConnection, access: Access, device_id: UUID) -> Device:
    """One device. Raises NotFound; one that was deleted is not found either."""
    query = sql.SQL("""
        SELECT {columns}
        FROM devices AS d
        WHERE d.device_id = %(device_id)s AND d.deleted_at IS NULL AND {scope}
    """).format(columns=COLUMNS, scope=access.clause("d.user_id"))
    found = await fetch_one(conn, Device, query, {**access.params, "device_id": device_id})
    if found is None:
        raise not_found(device_id)
    return found


async def list_devices(
    conn: AsyncConnection, access: Access, page: PageRequest, user_id: UUID | None = None
) -> Page[Device]:
    """Devices in the order of their registration, of one user if given."""
    listing = Listing(
        columns=COLUMNS,
        source=sql.SQL("devices AS d"),
        where=where(
            access.clause("d.user_id"), sql.SQL("d.deleted_at IS NULL"), given(user_id, "d.user_id = %(user_id)s")
        ),
        order=BY_REGISTRATION,
    )
    return await pages.fetch(conn, Device, listing, page, {**access.params, "user_id": user_id})


async def owners(conn: AsyncConnection, device_ids: Collection[UUID]) -> dict[UUID, DeviceOwner]:
    """The owner of each device that is registered; the others are missing from the answer."""
    query = sql.SQL("SELECT device_id, user_id, is_active FROM devices WHERE device_id = ANY(%(device_ids)s::uuid[])")
    found = await fetch_all(conn, DeviceOwner, query, {"device_ids": list(device_ids)})
    return {owner.device_id: owner for owner in found}


async def touch(conn: AsyncConnection, heard_of: Mapping[UUID, datetime]) -> None:
    """Note when these devices were last heard of; an earlier moment than is known changes nothing."""
    await conn.execute(
        """
        UPDATE devices AS d
        SET last_seen = seen.at
        FROM (
            -- Locked in one order by everybody, or two workers could wait for each other.
            SELECT known.device_id, new.at
            FROM unnest(%(device_ids)s::uuid[], %(at)s::timestamptz[]) AS new (device_id, at)
            JOIN devices AS known ON known.device_id = new.device_id
            WHERE known.last_seen IS NULL OR known.last_seen < new.at
            ORDER BY known.device_id
            FOR NO KEY UPDATE OF known
        ) AS seen
        WHERE d.device_id = seen.device_id
        """,
        {"device_ids": list(heard_of.keys()), "at": list(heard_of.values())},
    )


def not_found(device_id: UUID) -> NotFound:
    return NotFound(f"no device {device_id} among those you may see; list them with GET devices")
