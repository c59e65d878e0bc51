"""Patients and devices for `stream`, `simulate` and `demo`: made once, found again by their serial number."""

from __future__ import annotations

import asyncio
import json
import os
import secrets
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Final

from tenacity import retry, retry_if_exception_type, stop_after_delay, wait_fixed

from ingest.client import AsyncClient
from ingest.player import Target
from leadwire.folders import DEMO_FOLDER, LOGIN_FILE
from schemas.accounts import Device
from schemas.errors import Busy, Duplicate, Misconfigured, TooFast

_AT_ONCE: Final = 4
_PATIENCE_S: Final = 20.0

_patiently: Final = retry(
    retry=retry_if_exception_type(TooFast),
    wait=wait_fixed(5),
    stop=stop_after_delay(300),
    reraise=True,
)
"""Thousands of beds are more requests than one session has for a minute (LEADWIRE_RATE_REQUESTS)."""


@dataclass(frozen=True, slots=True)
class Login:
    """Where Leadwire is, and who we are there."""

    url: str
    username: str
    password: str


@dataclass(frozen=True, slots=True)
class Bed:
    """A patient and the device on them; `serial` is what both are found by."""

    serial: str
    patient_name: str
    device_name: str


def find_login(url: str | None, username: str | None, folder: Path = DEMO_FOLDER) -> Login:
    """The login given by options and LEADWIRE_PASSWORD, or else the running demo's. Raises Misconfigured."""
    if username is not None:
        password = os.environ.get("LEADWIRE_PASSWORD")
        if not password:
            raise Misconfigured(f"no password for {username}; set LEADWIRE_PASSWORD in the environment")
        return Login(url or "http://127.0.0.1:8000", username, password)
    known = kept_login(folder)
    if known is None:
        raise Misconfigured("no login; start `make demo` here first, or give --username and set LEADWIRE_PASSWORD")
    return replace(known, url=url or known.url)


def kept_login(folder: Path) -> Login | None:
    """The login that a demo left in its data folder, if there is one."""
    file = folder / LOGIN_FILE
    return Login(**json.loads(file.read_text())) if file.exists() else None


def keep_login(login: Login, folder: Path) -> None:
    """Leave the demo's login where the other commands find it, readable by this user only."""
    file = folder / LOGIN_FILE
    file.unlink(missing_ok=True)
    file.touch(mode=0o600)
    file.write_text(json.dumps(asdict(login)))


async def enrol(login: Login, beds: Sequence[Bed]) -> list[Target]:
    """A target per bed, in order; what exists already gets a new token. The login must be an admin's."""
    async with AsyncClient(login.url) as client:
        await _logged_in(client, login)
        known = {device.device_serial: device for device in await client.devices()}
        turn = asyncio.Semaphore(_AT_ONCE)
        return await asyncio.gather(*(_target(client, login.url, bed, known, turn) for bed in beds))


@retry(
    retry=retry_if_exception_type(Busy),
    wait=wait_fixed(0.3),
    stop=stop_after_delay(_PATIENCE_S),
    reraise=True,
)
async def _logged_in(client: AsyncClient, login: Login) -> None:
    """Log in; a server that is only just starting is waited for."""
    await client.login(login.username, login.password)


async def _target(
    client: AsyncClient, url: str, bed: Bed, known: dict[str | None, Device], turn: asyncio.Semaphore
) -> Target:
    async with turn:
        device = known.get(bed.serial)
        if device is not None:
            return Target(url, device.device_id, await _patiently(client.rotate_token)(device.device_id))
        with suppress(Duplicate):
            patient = await _patiently(client.create_user)(
                bed.serial, secrets.token_urlsafe(16), full_name=bed.patient_name
            )
            made = await _patiently(client.register_device)(
                user_id=patient.user_id, device_serial=bed.serial, device_name=bed.device_name
            )
            return Target(url, made.device.device_id, made.token)
        raise Duplicate(f"user or device {bed.serial!r} exists but is not one of ours; choose another --serial")
