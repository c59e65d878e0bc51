"""The live WebSocket: a user's samples, beats, metrics, episodes and alarms as they come."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Query, WebSocket, WebSocketDisconnect

from api.dependencies import ReadRooms, ReadWitness, Rooms, Witness
from api.live import Subscription
from api.live_messages import to_text
from schemas import clock
from schemas.accounts import Device
from schemas.errors import Busy, Forbidden, LeadwireError, NotFound, Unauthenticated
from schemas.pages import MAX_LIMIT, PageRequest
from storage import accounts, devices
from storage.access import for_caller
from web.callers import bearer, door_of, recognise_person

router = APIRouter(tags=["Live"])

PROTOCOL: Final = "leadwire"
_TOKEN_PROTOCOL: Final = "bearer."  # noqa: S105  # a prefix, no secret
_HEARTBEAT_S: Final = 15.0
_MAX_REASON: Final = 123
"""Bytes a close frame can hold beside its code (RFC 6455, 5.5.1)."""


@dataclass(frozen=True, slots=True)
class _Watch:
    """Who watches whom; checked at the start, and again with every heartbeat."""

    socket: WebSocket
    rooms: ReadRooms
    witness: ReadWitness
    token: str | None
    user_id: UUID
    device_id: UUID | None

    async def devices(self) -> list[Device]:
        """The devices to watch. Raises Unauthenticated, NotFound for a user who is not the caller's, Busy."""
        caller = await recognise_person(door_of(self.socket), self.token)
        access = for_caller(caller)
        async with self.rooms.database.transaction() as conn:
            await accounts.user(conn, access, self.user_id)
            page = await devices.list_devices(conn, access, PageRequest(1, MAX_LIMIT), self.user_id)
        self.witness.saw(caller, "live.watch", self.user_id, self.user_id)
        return [one for one in page.items if self.device_id in (None, one.device_id)]


@router.websocket("/ws/ecg/{user_id}")
async def watch(
    socket: WebSocket,
    user_id: UUID,
    rooms: Rooms,
    witness: Witness,
    device_id: UUID | None = None,
    token: Annotated[str | None, Query(description="Where neither header nor subprotocol can be set")] = None,
) -> None:
    """Accept first: a browser learns the close code and its reason only of a socket that was open."""
    offered = socket.scope["subprotocols"]
    await socket.accept(PROTOCOL if PROTOCOL in offered else None)
    try:
        await _serve(_Watch(socket, rooms, witness, _token(socket, token), user_id, device_id))
    except LeadwireError as error:
        await _close(socket, _code(error), str(error))
    except WebSocketDisconnect:
        return


def _token(socket: WebSocket, in_query: str | None) -> str | None:
    for offered in socket.scope["subprotocols"]:
        if offered.startswith(_TOKEN_PROTOCOL):
            return str(offered).removeprefix(_TOKEN_PROTOCOL)
    return bearer(socket.headers) or in_query


def _code(error: LeadwireError) -> int:
    if isinstance(error, Unauthenticated):
        return 4401
    if isinstance(error, Forbidden | NotFound):
        return 4403
    return 1013 if isinstance(error, Busy) else 1011


async def _close(socket: WebSocket, code: int, reason: str) -> None:
    await socket.close(code, reason.encode()[:_MAX_REASON].decode(errors="ignore"))


async def _serve(watch: _Watch) -> None:
    watched = await watch.devices()
    subscription = await watch.rooms.live.subscribe(_ids(watched))
    listening = asyncio.create_task(_until_gone(watch.socket))
    listening.add_done_callback(lambda _: subscription.close())
    try:
        await watch.socket.send_text(_hello(watched))
        await _forward(watch, subscription)
        if not listening.done():  # it wasn't the client who ended it
            raise Busy("the live feed has ended; connect again in a few seconds")
    finally:
        watch.rooms.live.unsubscribe(subscription)
        listening.cancel()


async def _until_gone(socket: WebSocket) -> None:
    """What a client sends is not asked for; reading it is how its leaving is noticed."""
    while (await socket.receive())["type"] != "websocket.disconnect":
        pass


async def _forward(watch: _Watch, subscription: Subscription) -> None:
    loop = asyncio.get_running_loop()
    due = loop.time() + _HEARTBEAT_S
    while not subscription.closed:
        for text in await subscription.next(due - loop.time()):
            await watch.socket.send_text(text)
        if loop.time() >= due:
            await _heartbeat(watch, subscription)
            due = loop.time() + _HEARTBEAT_S


async def _heartbeat(watch: _Watch, subscription: Subscription) -> None:
    """Ask again whether the caller is logged in and allowed, and which devices there are; then tell the time."""
    watched = await watch.devices()
    if _ids(watched) != subscription.device_ids:
        subscription.device_ids = _ids(watched)
        await watch.socket.send_text(_hello(watched))
    await watch.socket.send_text(to_text("heartbeat", {"at_us": clock.now_us()}))


def _ids(watched: list[Device]) -> frozenset[UUID]:
    return frozenset(one.device_id for one in watched)


def _hello(watched: list[Device]) -> str:
    told = [
        {"device_id": one.device_id, "device_name": one.device_name, "device_serial": one.device_serial}
        for one in watched
    ]
    return to_text("hello", {"at_us": clock.now_us(), "devices": told})
