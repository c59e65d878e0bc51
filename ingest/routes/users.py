"""users: an admin makes, changes and deletes people; everybody else registers and changes themselves."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Request, Response
from pydantic import Field

from ingest.people import Changes, RegistrationByAdmin, Text, Username
from ingest.rooms import Rooms, WriteRooms, address_of
from schemas import clock
from schemas.accounts import Caller, Role, User
from schemas.errors import Forbidden, Malformed
from storage import account_changes, accounts, audit, care
from storage.access import for_caller
from storage.account_changes import PROFILE
from storage.care import Care
from web.callers import Admin, Person
from web.problems import documented

router = APIRouter(prefix="/users", tags=["Accounts"])


class UserChanges(Changes):
    """What is to be different; a field that is left out stays as it is, null takes it away."""

    username: Username = Field(default_factory=str)  # no default for the document: it stays as it is
    email: Annotated[Text, Field(max_length=255, pattern=r"^[^@\s]+@[^@\s]+$")] | None = None
    full_name: Annotated[Text, Field(max_length=255)] | None = None
    age: Annotated[int, Field(ge=0, le=150)] | None = None
    gender: Annotated[Text, Field(max_length=10)] | None = None
    phone: Annotated[Text, Field(max_length=20)] | None = None
    address: Annotated[Text, Field(max_length=1000)] | None = None
    serial_number: Annotated[Text, Field(max_length=100)] | None = None
    role: Role = Field(default_factory=lambda: "user")
    is_active: bool = Field(default_factory=lambda: True)

    @property
    def changes(self) -> dict[str, object]:
        """The fields that were sent."""
        return self.model_dump(exclude_unset=True)


@router.post("", status_code=201, summary="Make a user of any role", responses=documented(401, 403, 409, 422, 503))
async def create_user(body: RegistrationByAdmin, caller: Admin, request: Request, rooms: Rooms) -> User:
    """How patients who don't register themselves, doctors and further admins come to be."""
    new = await body.new_user(body.role)
    async with rooms.database.transaction() as conn:
        user = await accounts.create_user(conn, new)
        actor, address = str(caller.user_id), address_of(request)
        await audit.append(conn, actor, "user.create", str(user.user_id), address, clock.now(), patient_id=user.user_id)
    return user


@router.put("/{user_id}", summary="Change a user", responses=documented(401, 403, 404, 409, 422, 503))
async def update_user(user_id: UUID, body: UserChanges, caller: Person, request: Request, rooms: Rooms) -> User:
    """Your own profile; as an admin anybody, their name, role and is_active, too.

    Another role, or is_active false, ends the user's sessions. The last active admin stays one (409).
    """
    return await change_user(user_id, body, caller, request, rooms)


@router.delete(
    "/{user_id}",
    status_code=204,
    summary="Delete a user (admins)",
    responses=documented(401, 403, 404, 409, 422, 503),
)
async def delete_user(user_id: UUID, caller: Admin, request: Request, rooms: Rooms) -> Response:
    """The account is gone for everybody but admins' lists; sessions, device tokens and care end, and data are kept."""
    return await remove_user(user_id, caller, request, rooms)


async def change_user(user_id: UUID, body: UserChanges, caller: Caller, request: Request, rooms: WriteRooms) -> User:
    """Raises NotFound, Forbidden, Malformed, Duplicate, StillNeeded."""
    access, at = for_caller(caller), clock.now()
    async with rooms.database.transaction() as conn:
        await accounts.user(conn, access, user_id)
        _check_allowed(body.changes, user_id, caller)
        user = await account_changes.update_user(conn, user_id, body.changes, at)
        named = ", ".join(sorted(body.changes))
        await audit.append(
            conn, str(caller.user_id), "user.update", str(user_id), address_of(request), at,
            patient_id=user_id, detail=named,
        )  # fmt: skip
    return user


def _check_allowed(changes: dict[str, object], user_id: UUID, caller: Caller) -> None:
    if not for_caller(caller).may_change(user_id):
        raise Forbidden(f"user {user_id} is a patient of yours, whom you may see but not change; ask them or an admin")
    beyond = sorted(changes.keys() - PROFILE)
    if beyond and caller.role != "admin":
        raise Forbidden(f"{', '.join(beyond)}: only admins change this; leave it out, or ask an admin")
    if not changes:
        raise Malformed("the body names nothing to change; send the fields that are to be different")


async def remove_user(user_id: UUID, caller: Caller, request: Request, rooms: WriteRooms) -> Response:
    """Raises NotFound, StillNeeded."""
    at = clock.now()
    async with rooms.database.transaction() as conn:
        gone = await account_changes.delete_user(conn, user_id, at)
        await audit.append(
            conn, str(caller.user_id), "user.delete", str(user_id), address_of(request), at, patient_id=user_id
        )
    for device_id in gone.device_ids:
        rooms.devices.forget(device_id)
    return Response(status_code=204)


@router.put(
    "/{user_id}/doctors/{doctor_id}",
    summary="Let a doctor look after a patient (admins)",
    responses=documented(401, 403, 404, 422, 503),
)
async def assign_doctor(user_id: UUID, doctor_id: UUID, caller: Admin, request: Request, rooms: Rooms) -> Care:
    """From now on the doctor sees the patient's data. Again changes nothing."""
    at = clock.now()
    async with rooms.database.transaction() as conn:
        made = await care.assign(conn, user_id, doctor_id, at)
        await audit.append(
            conn, str(caller.user_id), "care.assign", str(doctor_id), address_of(request), at, patient_id=user_id
        )
    return made


@router.delete(
    "/{user_id}/doctors/{doctor_id}",
    status_code=204,
    summary="A doctor looks after a patient no more (admins)",
    responses=documented(401, 403, 404, 422, 503),
)
async def end_care(user_id: UUID, doctor_id: UUID, caller: Admin, request: Request, rooms: Rooms) -> Response:
    """The doctor sees nothing of the patient any more, from before either."""
    at = clock.now()
    async with rooms.database.transaction() as conn:
        await care.end(conn, user_id, doctor_id, at)
        await audit.append(
            conn, str(caller.user_id), "care.end", str(doctor_id), address_of(request), at, patient_id=user_id
        )
    return Response(status_code=204)
