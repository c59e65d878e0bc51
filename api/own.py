"""What people ask of themselves again and again: their profile and their lists of reports."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from pydantic import TypeAdapter

from api.dependencies import ReadRooms
from schemas.accounts import Caller, User
from schemas.pages import Page, PageRequest
from schemas.reports import Report
from storage import accounts, generations, reports
from storage.access import for_caller
from storage.generations import Generation

_USER: Final = TypeAdapter(User)
_REPORTS: Final = TypeAdapter(Page[Report])


async def profile(caller: Caller, rooms: ReadRooms, current: Generation | None) -> User:
    """The caller themselves."""

    async def make() -> User:
        async with rooms.database.transaction() as conn:
            return await accounts.user(conn, for_caller(caller), caller.user_id)

    generation = None if current is None else current.account
    lifetime_s = rooms.cache_settings.profile_s
    return await rooms.current.get("profile", str(caller.user_id), generation, lifetime_s, _USER, make)


async def report_list(
    caller: Caller,
    rooms: ReadRooms,
    current: Generation | None,
    page: PageRequest,
    user_id: UUID | None,
    device_id: UUID | None = None,
) -> Page[Report]:
    """Reports that the caller may see; an admin's list is of everybody and is never kept."""

    async def make() -> Page[Report]:
        async with rooms.database.transaction() as conn:
            return await reports.list_reports(conn, for_caller(caller), page, user_id, device_id)

    generation = await _reports_generation(caller, rooms, current)
    key = ":".join(str(part) for part in (caller.user_id, user_id, device_id, page.page, page.limit, page.after))
    return await rooms.current.get("reports", key, generation, rooms.cache_settings.reports_s, _REPORTS, make)


async def _reports_generation(caller: Caller, rooms: ReadRooms, current: Generation | None) -> UUID | str | None:
    """Of the caller's own reports it is known already; a doctor's list changes with each patient and their reports."""
    if current is None or caller.role == "admin":
        return None
    if caller.role == "user":
        return current.reports
    async with rooms.database.transaction() as conn:
        return await generations.of_reports(conn, for_caller(caller))
