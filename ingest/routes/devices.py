"""devices: registered for a person with a token that is shown once, changed and deleted by their owner."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from ingest.people import Body, Changes, Text
from ingest.rooms import Rooms, address_of
from schemas import clock
from schemas.accounts import Caller, Device, DeviceType
from schemas.errors import Forbidden, Malformed
from storage import audit, device_changes, devices
from storage.access import for_caller
from storage.database import Connection
from web.callers import Person
from web.problems import documented
from web.tokens import new_device_token, token_hash

router = APIRouter(prefix="/devices", tags=["Devices"])


class NewDevice(Body):
    """A device, under the seed system's names."""

    user_id: UUID | None = Field(
        None, description="Whose it is: yourself, or for an admin anyone; yourself if not given"
    )
    device_type: DeviceType = "ecg"
    device_serial: Annotated[Text, Field(max_length=100)] | None = None
    device_name: Annotated[Text, Field(max_length=255)] | None = None
    manufacturer: Annotated[Text, Field(max_length=100)] | None = None
    model: Annotated[Text, Field(max_length=100)] | None = None
    firmware_version: Annotated[Text, Field(max_length=50)] | None = None


class DeviceChanges(Changes):
    """What is to be different; a field that is left out stays as it is, null takes it away."""

    user_id: UUID | None = Field(None, description="Whose it is from now on (admins); the history stays whose it was")
    device_type: DeviceType = Field(default_factory=lambda: "ecg")  # no default for the document: it stays as it is
    device_serial: Annotated[Text, Field(max_length=100)] | None = None
    device_name: Annotated[Text, Field(max_length=255)] | None = None
    manufacturer: Annotated[Text, Field(max_length=100)] | None = None
    model: Annotated[Text, Field(max_length=100)] | None = None
    firmware_version: Annotated[Text, Field(max_length=50)] | None = None
    is_active: bool = Field(default_factory=lambda: True, description="False: it may send nothing until it is true")

    @property
    def changes(self) -> dict[str, object]:
        """The fields that were sent."""
        return self.model_dump(exclude_unset=True)


class RegisteredDevice(BaseModel):
    """The device and its token, which is not shown again."""

    device: Device
    token: str


class RotatedToken(BaseModel):
    """The device's new token, which is not shown again; the old one is refused from now on."""

    device_id: UUID
    token: str


@router.post("", status_code=201, summary="Register a device", responses=documented(401, 403, 404, 409, 422, 503))
async def register_device(body: NewDevice, caller: Person, request: Request, rooms: Rooms) -> RegisteredDevice:
    """For yourself, or as an admin for anyone."""
    owner = _owner(body, caller)
    token = new_device_token()
    new = devices.NewDevice(**{**body.model_dump(), "user_id": owner})
    async with rooms.database.transaction() as conn:
        device = await devices.register(conn, new, token_hash(token))
        await _audit(conn, request, caller, "device.register", device)
    return RegisteredDevice(device=device, token=token)


def _owner(body: NewDevice, caller: Caller) -> UUID:
    owner = body.user_id or caller.user_id
    if owner != caller.user_id and caller.role != "admin":
        raise Forbidden(f"user_id is {owner} and you are {caller.user_id}; leave it out, or ask an admin")
    return owner


@router.post("/{device_id}/token", summary="Give a device a new token", responses=documented(401, 403, 404, 422, 503))
async def rotate_token(device_id: UUID, caller: Person, request: Request, rooms: Rooms) -> RotatedToken:
    """The old token stops here at once, and within 30 s at every other gateway process."""
    token = new_device_token()
    access = for_caller(caller)
    async with rooms.database.transaction() as conn:
        device = await device_changes.changeable(conn, access, device_id)
        await devices.set_token(conn, access, device_id, token_hash(token))
        await _audit(conn, request, caller, "device.rotate_token", device)
    rooms.devices.forget(device_id)
    return RotatedToken(device_id=device_id, token=token)


@router.delete(
    "/{device_id}/token",
    status_code=204,
    summary="Take a device's token away",
    responses=documented(401, 403, 404, 422, 503),
)
async def revoke_token(device_id: UUID, caller: Person, request: Request, rooms: Rooms) -> Response:
    """It may send nothing until it gets a new one. As soon as a rotation: here at once, elsewhere within 30 s."""
    access = for_caller(caller)
    async with rooms.database.transaction() as conn:
        device = await device_changes.changeable(conn, access, device_id)
        await devices.set_token(conn, access, device_id, None)
        await _audit(conn, request, caller, "device.revoke_token", device)
    rooms.devices.forget(device_id)
    return Response(status_code=204)


@router.put("/{device_id}", summary="Change a device", responses=documented(401, 403, 404, 409, 422, 503))
async def update_device(device_id: UUID, body: DeviceChanges, caller: Person, request: Request, rooms: Rooms) -> Device:
    """Your own; as an admin any, and whose it is. A doctor reads a patient's device and changes none."""
    changes = body.changes
    if not changes:
        raise Malformed("the body names nothing to change; send the fields that are to be different")
    async with rooms.database.transaction() as conn:
        before = await device_changes.changeable(conn, for_caller(caller), device_id)
        if "user_id" in changes and changes["user_id"] != before.user_id and caller.role != "admin":
            raise Forbidden("user_id: only admins give a device to somebody else; leave it out, or ask an admin")
        device = await device_changes.update_device(conn, device_id, changes)
        await _audit(conn, request, caller, "device.update", before, ", ".join(sorted(changes)))
    rooms.devices.forget(device_id)
    return device


@router.delete(
    "/{device_id}", status_code=204, summary="Delete a device", responses=documented(401, 403, 404, 422, 503)
)
async def delete_device(device_id: UUID, caller: Person, request: Request, rooms: Rooms) -> Response:
    """It sends nothing any more and shows in no list; what it recorded is kept."""
    async with rooms.database.transaction() as conn:
        device = await device_changes.changeable(conn, for_caller(caller), device_id)
        await device_changes.delete_device(conn, device_id, clock.now())
        await _audit(conn, request, caller, "device.delete", device)
    rooms.devices.forget(device_id)
    return Response(status_code=204)


async def _audit(
    conn: Connection, request: Request, caller: Caller, action: str, device: Device, detail: str | None = None
) -> None:
    actor, subject, address = str(caller.user_id), str(device.device_id), address_of(request)
    await audit.append(conn, actor, action, subject, address, clock.now(), patient_id=device.user_id, detail=detail)
