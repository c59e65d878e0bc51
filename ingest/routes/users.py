"""users: an admin makes people of any role; everybody else registers themselves (POST auth/register)."""

from __future__ import annotations

from fastapi import APIRouter, Request

from ingest.people import RegistrationByAdmin
from ingest.rooms import Rooms, address_of
from schemas import clock
from schemas.accounts import User
from storage import accounts, audit
from web.callers import Admin
from web.problems import documented

router = APIRouter(prefix="/users", tags=["Accounts"])


@router.post("", status_code=201, summary="Make a user of any role", responses=documented(401, 403, 409, 422, 503))
async def create_user(body: RegistrationByAdmin, caller: Admin, request: Request, rooms: Rooms) -> User:
    """How patients who don't register themselves, doctors and further admins come to be."""
    new = await body.new_user(body.role)
    async with rooms.database.transaction() as conn:
        user = await accounts.create_user(conn, new)
        await audit.append(
            conn, str(caller.user_id), "user.create", str(user.user_id), address_of(request), clock.now()
        )
    return user
