"""What a valid request to each route carries, beside its path."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any, Final, TypeAlias
from uuid import uuid4

from schemas import clock
from tests.contract.scene import PASSWORD, PDF, Patient, Person

Request: TypeAlias = Mapping[str, Any]
"""Keywords for httpx."""


def _registration(*_: object) -> Request:
    return {"json": {"username": f"new-{uuid4().hex[:12]}", "password": PASSWORD}}


def _login(_: Patient, person: Person) -> Request:
    return {"json": {"username": person.user.username, "password": PASSWORD}}


def _block(patient: Patient, _: Person) -> Request:
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


def _period(patient: Patient, _: Person) -> Request:
    end = clock.now()
    period = {"start": (end - timedelta(minutes=1)).isoformat(), "end": end.isoformat()}
    return {"json": {"device_id": patient.ids["device_id"], **period}}


def _file(patient: Patient, _: Person) -> Request:
    content = PDF + uuid4().bytes  # the same bytes again would be a duplicate
    return {"files": {"file": ("report.pdf", content, "application/pdf")}}


def _json(**values: object) -> Callable[[Patient, Person], Request]:
    return lambda _patient, _person: {"json": values}


BODIES: Final[Mapping[str, Callable[[Patient, Person], Request]]] = {
    "POST auth/register": _registration,
    "POST auth/login": _login,
    "POST users": _registration,
    "POST devices": _json(device_name="Bed 4"),
    "PUT users/{user_id}/alarm-limits": _json(low_bpm=45),
    "POST ecg/samples": _block,
    "POST ecg/reports": _period,
}


def request_of(key: str, patient: Patient, person: Person) -> Request:
    """What goes with a request to the route."""
    make = BODIES.get(key)
    return make(patient, person) if make else {}
