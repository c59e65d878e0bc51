"""Callers: who makes a request, as dependencies that stand in a route's signature."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, Final, cast

from fastapi import Depends, Request
from fastapi.security import APIKeyHeader, HTTPAuthorizationCredentials, HTTPBearer
from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.requests import HTTPConnection

from schemas import clock
from schemas.accounts import Caller, DeviceCaller
from schemas.errors import Forbidden, Unauthenticated
from schemas.settings import SecuritySettings
from storage import devices, sessions
from storage.database import Database
from storage.generations import Generation
from web import tokens

DEVICE_HEADER: Final = "X-Device-Token"

_person_scheme = HTTPBearer(auto_error=False, scheme_name="Person", description="The access_token of auth/login.")
_device_scheme = HTTPBearer(auto_error=False, scheme_name="Device", description="The device's token, lwd_….")
_device_header = APIKeyHeader(name=DEVICE_HEADER, auto_error=False, scheme_name="DeviceHeader")


@dataclass(frozen=True, slots=True)
class Session:
    """An open session; `generation` tells what of the caller's data is current, None where nobody asked for it."""

    generation: Generation | None = None


@dataclass(frozen=True, slots=True)
class Door:
    """How an application recognises its callers; kept as `app.state.door`."""

    security: SecuritySettings
    session: Callable[[Caller], Awaitable[Session | None]]
    device_by_token: Callable[[bytes], Awaitable[DeviceCaller | None]]


def door(database: Database, security: SecuritySettings) -> Door:
    """The door that asks `database`. Its calls raise Busy when the database is away."""

    async def session(caller: Caller) -> Session | None:
        async with database.transaction() as conn:
            return Session() if await sessions.is_open(conn, caller.session_id, clock.now()) else None

    async def device_by_token(token_hash: bytes) -> DeviceCaller | None:
        async with database.transaction() as conn:
            return await devices.by_token(conn, token_hash)

    return Door(security, session, device_by_token)


def install(app: Starlette, at_door: Door) -> None:
    """Let the dependencies of this module work in `app`."""
    app.state.door = at_door


def door_of(connection: HTTPConnection) -> Door:
    return cast("Door", connection.app.state.door)


def bearer(headers: Headers) -> str | None:
    """The token of `Authorization: Bearer …`, if there is one."""
    scheme, _, token = headers.get("authorization", "").partition(" ")
    return token.strip() or None if scheme.lower() == "bearer" else None


def device_token(headers: Headers) -> str | None:
    """A device's token: X-Device-Token, or `Authorization: Bearer …`."""
    return headers.get(DEVICE_HEADER) or bearer(headers)


async def recognise_person(at_door: Door, token: str | None) -> Caller:
    """The person behind an access token whose session is still open. Raises Unauthenticated, Busy."""
    return (await _recognised(at_door, token)).caller


@dataclass(frozen=True, slots=True)
class _Recognised:
    caller: Caller
    session: Session


async def _recognised(at_door: Door, token: str | None) -> _Recognised:
    if not token:
        raise Unauthenticated("no access token; log in with POST auth/login and send Authorization: Bearer TOKEN")
    caller = tokens.read(token, at_door.security)
    session = await at_door.session(caller)
    if session is None:
        raise Unauthenticated("this session is closed; log in again with POST auth/login")
    return _Recognised(caller, session)


async def recognise_device(at_door: Door, token: str | None) -> DeviceCaller:
    """The active device behind a token. Raises Unauthenticated, Busy."""
    if not token:
        raise Unauthenticated(f"no device token; send Authorization: Bearer lwd_… or {DEVICE_HEADER}")
    caller = None
    if token.startswith(tokens.DEVICE_PREFIX):
        caller = await at_door.device_by_token(tokens.token_hash(token))
    if caller is None:
        raise Unauthenticated("no active device has this token; have an admin rotate it (POST devices/{id}/token)")
    return caller


Credentials = HTTPAuthorizationCredentials | None


async def _person(request: Request, _: Annotated[Credentials, Depends(_person_scheme)]) -> Caller:
    known = await _recognised(door_of(request), bearer(request.headers))
    request.state.session = known.session
    return known.caller


async def _generation(request: Request, _: Annotated[Caller, Depends(_person)]) -> Generation | None:
    return cast("Session", request.state.session).generation


async def _admin(caller: Annotated[Caller, Depends(_person)]) -> Caller:
    if caller.role != "admin":
        raise Forbidden(f"this is for admins and you are a {caller.role}; ask an admin")
    return caller


async def _clinician(caller: Annotated[Caller, Depends(_person)]) -> Caller:
    if caller.role not in ("doctor", "admin"):
        raise Forbidden(f"this is for doctors and admins and you are a {caller.role}; ask one of them")
    return caller


async def _any_device(
    request: Request,
    _: Annotated[Credentials, Depends(_device_scheme)],
    __: Annotated[str | None, Depends(_device_header)],
) -> DeviceCaller:
    return await recognise_device(door_of(request), device_token(request.headers))


async def _sender(
    request: Request,
    _: Annotated[Credentials, Depends(_person_scheme)],
    __: Annotated[str | None, Depends(_device_header)],
) -> Caller | DeviceCaller:
    token = device_token(request.headers)
    if DEVICE_HEADER in request.headers or (token or "").startswith(tokens.DEVICE_PREFIX):
        return await recognise_device(door_of(request), token)
    return await recognise_person(door_of(request), token)


Person = Annotated[Caller, Depends(_person)]
"""Any person who is logged in; what they may see is up to storage.access."""

Current = Annotated[Generation | None, Depends(_generation)]
"""What of the caller's own data was current when the request came."""

Admin = Annotated[Caller, Depends(_admin)]
"""A person whose role is admin."""

Clinician = Annotated[Caller, Depends(_clinician)]
"""A person whose role is doctor or admin; whose patients they may touch is up to storage.access."""

AnyDevice = Annotated[DeviceCaller, Depends(_any_device)]
"""A registered, active device."""

Sender = Annotated[Caller | DeviceCaller, Depends(_sender)]
"""A person who is logged in, or a registered, active device."""
