"""Who am I."""

from __future__ import annotations

from fastapi import APIRouter

from api.dependencies import Rooms
from api.own import profile
from schemas.accounts import User
from web.callers import Current, Person

router = APIRouter(prefix="/auth", tags=["Authentication"])


@router.get("/me", summary="The user who is logged in")
async def me(caller: Person, rooms: Rooms, current: Current) -> User:
    return await profile(caller, rooms, current)
