"""admin: the portal's names for what admins do to users; the functions are those of users."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter, Request, Response

from ingest.rooms import Rooms
from ingest.routes.users import UserChanges, change_user, remove_user
from schemas.accounts import User
from web.callers import Admin
from web.problems import documented

router = APIRouter(prefix="/admin/users", tags=["Admin"])


@router.put("/{user_id}", summary="Change a user", responses=documented(401, 403, 404, 409, 422, 503))
async def update_user(user_id: UUID, body: UserChanges, caller: Admin, request: Request, rooms: Rooms) -> User:
    """As PUT users/{user_id}."""
    return await change_user(user_id, body, caller, request, rooms)


@router.delete(
    "/{user_id}", status_code=204, summary="Delete a user", responses=documented(401, 403, 404, 409, 422, 503)
)
async def delete_user(user_id: UUID, caller: Admin, request: Request, rooms: Rooms) -> Response:
    """As DELETE users/{user_id}."""
    return await remove_user(user_id, caller, request, rooms)
