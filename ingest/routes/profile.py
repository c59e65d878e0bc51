"""auth: what people change about themselves."""

from __future__ import annotations

from typing import Final

from fastapi import APIRouter, Request

from ingest.people import Body, NewPassword, Password, Profile
from ingest.rooms import Rooms, address_of
from schemas import clock
from schemas.accounts import User
from schemas.errors import Forbidden
from storage import audit, profiles, sessions
from web import tokens
from web.callers import Person
from web.limits import account_key
from web.problems import documented

router = APIRouter(prefix="/auth", tags=["Accounts"])

_WRONG: Final = "current_password is not your password; send the right one, or ask an admin for a new one"


class PasswordChange(Body):
    """The password of today, as a proof, and the one of tomorrow."""

    current_password: Password
    new_password: NewPassword


@router.put("/update-profile", summary="Change what is known of you", responses=documented(401, 409, 422, 503))
async def update_profile(body: Profile, caller: Person, request: Request, rooms: Rooms) -> User:
    """What is sent is changed, null empties it, and what is left out stays. Role and name are an admin's to change."""
    told = body.model_dump(exclude_unset=True)
    subject = str(caller.user_id)
    async with rooms.database.transaction() as conn:
        user = await profiles.update_profile(conn, caller.user_id, told)
        await audit.append(
            conn, subject, "auth.update_profile", subject, address_of(request), clock.now(),
            patient_id=caller.user_id, detail=", ".join(sorted(told)) or None,
        )  # fmt: skip
    return user


@router.post(
    "/change-password", status_code=204, summary="Change your password", responses=documented(401, 403, 422, 503)
)
async def change_password(body: PasswordChange, caller: Person, request: Request, rooms: Rooms) -> None:
    """Ends all your other sessions and keeps this one. A wrong current password counts like one of a login."""
    async with rooms.limits.guess(account_key(caller.username)):
        async with rooms.database.transaction() as conn:
            stored = await profiles.password_hash(conn, caller.user_id)
        if not await tokens.verify_password(body.current_password, stored):
            raise Forbidden(_WRONG)
    hashed, at, user = await tokens.hash_password(body.new_password), clock.now(), str(caller.user_id)
    async with rooms.database.transaction() as conn:
        await profiles.set_password(conn, caller.user_id, hashed)
        ended = await sessions.close_all(conn, caller.user_id, at, keep=caller.session_id)
        detail = f"{ended} other sessions ended"
        await audit.append(conn, user, "auth.change_password", user, address_of(request), at, detail=detail)
