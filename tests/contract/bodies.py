"""What a valid request to each route carries, beside its path."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from typing import Any, Final, TypeAlias
from uuid import uuid4

from schemas import clock
from tests.contract.scene import PASSWORD, PDF, Patient, Person, Scene

Request: TypeAlias = Mapping[str, Any]
"""Keywords for httpx."""
Maker: TypeAlias = Callable[[Scene, Patient, Person], Awaitable[Request]]


async def _registration(*_: object) -> Request:
    return {"json": {"username": f"new-{uuid4().hex[:12]}", "password": PASSWORD}}


async def _login(_: Scene, __: Patient, person: Person) -> Request:
    return {"json": {"username": person.user.username, "password": PASSWORD}}


async def _block(_: Scene, patient: Patient, __: Person) -> Request:
    block = {
        "device_id": patient.ids["device_id"],
        "recording_id": str(uuid4()),
        "first_index": 0,
        "started_at_us": clock.now_us() - 1_000_000,
        "rate_hz": 250,
        "leads": ["II"],
        "uv_per_lsb": 2.5,
        "samples": [0] * 250,
    }
    return {"json": block}


async def _metrics(_: Scene, patient: Patient, __: Person) -> Request:
    return {"json": {"device_id": patient.ids["device_id"], "heart_rate": 72}}


async def _period(_: Scene, patient: Patient, __: Person) -> Request:
    end = clock.now()
    period = {"start": (end - timedelta(minutes=1)).isoformat(), "end": end.isoformat()}
    return {"json": {"device_id": patient.ids["device_id"], **period}}


async def _file(_: Scene, patient: Patient, __: Person) -> Request:
    content = PDF + uuid4().bytes  # the same bytes again would be a duplicate
    return {
        "files": {"file": ("report.pdf", content, "application/pdf")},
        "data": {"user_id": patient.ids["user_id"]},
    }


async def _renewal(scene: Scene, _: Patient, person: Person) -> Request:
    async with scene.client() as http:
        login = await http.post(f"{scene.prefix}/auth/login", **await _login(scene, _, person))
    return {"json": {"refresh_token": login.json()["refresh_token"]}}


def _json(**values: object) -> Maker:
    async def made(*_: object) -> Request:
        return {"json": values}

    return made


BODIES: Final[Mapping[str, Maker]] = {
    "POST auth/register": _registration,
    "POST auth/login": _login,
    "POST auth/refresh-token": _renewal,
    "PUT auth/update-profile": _json(full_name="Ada Example"),
    "POST auth/change-password": _json(current_password=PASSWORD, new_password="wrong donkey charger"),
    "POST users": _registration,
    "PUT users/{user_id}": _json(full_name="Ada Example"),
    "PUT admin/users/{user_id}": _json(full_name="Ada Example"),
    "PUT devices/{device_id}": _json(device_name="Bed 5"),
    "POST devices": _json(device_name="Bed 4"),
    "PUT users/{user_id}/alarm-limits": _json(low_bpm=45),
    "POST ecg/samples": _block,
    "POST ecg/metrics": _metrics,
    "POST ecg/reports": _period,
    "POST ecg/reports/upload": _file,
    "POST cloud/upload": _file,
}


async def request_of(key: str, scene: Scene, patient: Patient, person: Person) -> Request:
    """What goes with a request to the route."""
    make = BODIES.get(key)
    return await make(scene, patient, person) if make else {}
