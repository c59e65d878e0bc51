"""Admin: the audit log, who did or read what of whose data."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from api.dependencies import Paging, Rooms, Witness
from api.moments import Moment
from schemas import clock
from schemas.audit import AuditEntry
from schemas.pages import Page
from storage import audit
from storage.audit import AuditFilter
from web.callers import Admin
from web.problems import documented

router = APIRouter(prefix="/admin/audit", tags=["Admin"], responses=documented(403))

Word = Annotated[str | None, Query(pattern=r"^[^\x00]{1,100}$")]


@router.get(
    "",
    summary="Who did or read what of whose data, newest first",
    description="`hash` covers the entry and the one before it; `leadwire audit verify` proves that none was changed.",
)
async def list_entries(
    caller: Admin,
    rooms: Rooms,
    witness: Witness,
    page: Paging,
    patient_id: UUID | None = None,
    actor: Annotated[Word, Query(description="A user_id, a device_id, or a service's name")] = None,
    action: Annotated[Word, Query(examples=["report.download"])] = None,
    start: Moment | None = None,
    end: Moment | None = None,
) -> Page[AuditEntry]:
    wanted = AuditFilter(
        patient_id,
        actor,
        action,
        None if start is None else clock.to_datetime(start),
        None if end is None else clock.to_datetime(end),
    )
    async with rooms.database.transaction() as conn:
        found = await audit.list_entries(conn, wanted, page)
    witness.saw(caller, "audit.read", patient_id or "all", patient_id)
    return found
