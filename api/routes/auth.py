"""Who am I."""

from __future__ import annotations

from fastapi import APIRouter

from api.dependencies import Rooms
from schemas.accounts import User
from storage import accounts
from storage.access import for_caller
from web.callers import Person

router = APIRouter(prefix="/auth", tags=["Authentication"])


@router.get("/me", summary="The user who is logged in")
async def me(caller: Person, rooms: Rooms) -> User:
    async with rooms.database.transaction() as conn:
        return await accounts.user(conn, for_caller(caller), caller.user_id)
