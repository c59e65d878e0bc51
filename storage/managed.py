"""What admins see of users and reports beyond everybody's lists: filters, and accounts that were deleted."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from psycopg import AsyncConnection, sql

from schemas.accounts import Device, Role
from schemas.errors import NotFound
from schemas.pages import Page, PageRequest
from schemas.reports import Report
from schemas.statistics import ManagedUser
from storage import devices, pages, reports
from storage.accounts import BY_NAME, COLUMNS
from storage.pages import Listing
from storage.rows import fetch_all, fetch_one, given, where

_COLUMNS: Final = COLUMNS + sql.SQL(", u.deleted_at")


@dataclass(frozen=True, slots=True)
class UserFilter:
    """Which users; None asks for all. `q` is part of a name, email, phone or serial number, in any letter case."""

    role: Role | None = None
    is_active: bool | None = None
    q: str | None = None
    deleted: bool | None = False


@dataclass(frozen=True, slots=True)
class ReportFilter:
    """Which reports; None asks for all. The period of `created_at` is half-open."""

    user_id: UUID | None = None
    device_id: UUID | None = None
    upload_status: str | None = None
    cloud_service: str | None = None
    start: datetime | None = None
    end: datetime | None = None


async def list_managed(conn: AsyncConnection, wanted: UserFilter, page: PageRequest) -> Page[ManagedUser]:
    """Users by name."""
    listing = Listing(
        columns=_COLUMNS,
        source=sql.SQL("users AS u"),
        where=where(
            sql.SQL("true"),
            given(wanted.role, "u.role = %(role)s"),
            given(wanted.is_active, "u.is_active = %(is_active)s"),
            given(wanted.deleted, "(u.deleted_at IS NOT NULL) = %(deleted)s"),
            given(
                wanted.q,
                "concat_ws(E'\\n', u.username, u.full_name, u.email, u.phone, u.serial_number) ILIKE %(pattern)s",
            ),
        ),
        order=BY_NAME,
    )
    return await pages.fetch(conn, ManagedUser, listing, page, {**asdict(wanted), "pattern": _pattern(wanted.q)})


def _pattern(part: str | None) -> str | None:
    """The text itself anywhere, whatever characters it has."""
    if part is None:
        return None
    escaped = part.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{escaped}%"


async def managed_user(conn: AsyncConnection, user_id: UUID) -> ManagedUser:
    """One user, deleted or not. Raises NotFound."""
    query = sql.SQL("SELECT {columns} FROM users AS u WHERE u.user_id = %(user_id)s").format(columns=_COLUMNS)
    found = await fetch_one(conn, ManagedUser, query, {"user_id": user_id})
    if found is None:
        raise NotFound(f"no user {user_id}; list them with GET admin/users")
    return found


async def devices_of(conn: AsyncConnection, user_id: UUID) -> list[Device]:
    """All of a user's devices, deleted ones too, in the order they were registered."""
    query = sql.SQL("""
        SELECT {columns}
        FROM devices AS d
        WHERE d.user_id = %(user_id)s
        ORDER BY d.registered_at, d.device_id
    """).format(columns=devices.COLUMNS)
    return await fetch_all(conn, Device, query, {"user_id": user_id})


async def open_sessions(conn: AsyncConnection, user_id: UUID, at: datetime) -> int:
    """How many sessions a user has open at `at`."""
    cursor = await conn.execute(
        "SELECT count(*) FROM user_sessions WHERE user_id = %s AND closed_at IS NULL AND expires_at > %s",
        [user_id, at],
    )
    [(count,)] = await cursor.fetchall()
    return int(count)


async def list_managed_reports(conn: AsyncConnection, wanted: ReportFilter, page: PageRequest) -> Page[Report]:
    """Everybody's reports, newest first."""
    listing = Listing(
        columns=reports.COLUMNS,
        source=sql.SQL("ecg_reports AS p"),
        where=where(
            sql.SQL("p.deleted_at IS NULL"),
            given(wanted.user_id, "p.user_id = %(user_id)s"),
            given(wanted.device_id, "p.device_id = %(device_id)s"),
            given(wanted.upload_status, "p.upload_status = %(upload_status)s"),
            given(wanted.cloud_service, "p.cloud_service = %(cloud_service)s"),
            given(wanted.start, "p.created_at >= %(start)s"),
            given(wanted.end, "p.created_at < %(end)s"),
        ),
        order=reports.NEWEST_FIRST,
        descending=True,
    )
    return await pages.fetch(conn, Report, listing, page, asdict(wanted))
