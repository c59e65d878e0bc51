"""devices: a device is registered for a person and gets its token, shown once."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field

from ingest.people import Body, Text
from ingest.rooms import Rooms, address_of
from schemas import clock
from schemas.accounts import Caller, Device, DeviceType
from schemas.errors import Forbidden
from storage import audit, devices
from storage.access import for_caller
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
        subject = str(device.device_id)
        await audit.append(conn, str(caller.user_id), "device.register", subject, address_of(request), clock.now())
    return RegisteredDevice(device=device, token=token)


def _owner(body: NewDevice, caller: Caller) -> UUID:
    owner = body.user_id or caller.user_id
    if owner != caller.user_id and caller.role != "admin":
        raise Forbidden(f"user_id is {owner} and you are {caller.user_id}; leave it out, or ask an admin")
    return owner


@router.post("/{device_id}/token", summary="Give a device a new token", responses=documented(401, 404, 422, 503))
async def rotate_token(device_id: UUID, caller: Person, request: Request, rooms: Rooms) -> RotatedToken:
    """The old token stops here at once, and within 30 s at every other gateway process."""
    token = new_device_token()
    async with rooms.database.transaction() as conn:
        await devices.set_token(conn, for_caller(caller), device_id, token_hash(token))
        await audit.append(
            conn, str(caller.user_id), "device.rotate_token", str(device_id), address_of(request), clock.now()
        )
    rooms.devices.forget(device_id)
    return RotatedToken(device_id=device_id, token=token)
