"""WS ecg/samples: a bad frame is answered with an error, and the connection goes on."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from ingest.urls import samples_socket
from schemas.codec import encode_pack
from tests.bad_input.cases import CASES, BadInput
from tests.bad_input.scene import COUNT, Device, Scene
from web.tokens import new_device_token

pytestmark = pytest.mark.embedded


@asynccontextmanager
async def _socket(device: Device, token: str | None = None) -> AsyncIterator[ClientConnection]:
    used = device.token if token is None else token
    headers = {"Authorization": f"Bearer {used}"} if used else {}
    url = samples_socket(device.scene.platform.login.url, device.scene.platform.settings.http.prefix)
    async with connect(url, additional_headers=headers, proxy=None, open_timeout=20) as socket:
        yield socket


async def _told(socket: ClientConnection) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(await socket.recv())
    return told


def _ack(device: Device, number: int) -> dict[str, Any]:
    block = device.block(number)
    return {
        "type": "ack",
        "recording_id": str(device.recording_id),
        "first_index": block.first_index,
        "end_index": block.end_index,
    }


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
async def test_a_bad_frame_is_answered_with_its_remedy_and_the_connection_goes_on(
    case: BadInput, device: Device
) -> None:
    await _send(case, device)
    assert await device.in_kafka(2) == [0, COUNT]


async def test_nothing_bad_is_stored_and_all_the_good_beside_it_is(scene: Scene) -> None:
    devices = [await scene.device() for _ in CASES]
    for case, device in zip(CASES, devices, strict=True):
        await _send(case, device)
    await asyncio.gather(*(device.only_good_is_stored(2) for device in devices))


async def _send(case: BadInput, device: Device) -> None:
    """The bad between two good ones, on one connection."""
    async with _socket(device) as socket:
        for frame in (encode_pack([device.block(0)]), case.frame(device), encode_pack([device.block(1)])):
            await socket.send(frame)
        first, error, second = [await _told(socket) for _ in range(3)]
    assert (first, second) == (_ack(device, 0), _ack(device, 1))
    assert (error["type"], error["frame"]) == ("error", 1)
    case.check(error)


@pytest.mark.parametrize(
    ("token", "remedy"),
    [
        ("", "send Authorization: Bearer lwd_… or X-Device-Token"),
        (new_device_token(), "have an admin rotate it (POST devices/{id}/token)"),
    ],
)
async def test_without_a_good_token_there_is_no_connection_but_a_problem(
    device: Device, token: str, remedy: str
) -> None:
    with pytest.raises(InvalidStatus) as caught:
        async with _socket(device, token):
            pass
    answer = caught.value.response
    told = json.loads(answer.body or b"{}")
    assert (answer.status_code, told["status"], told["title"]) == (401, 401, "Unauthenticated")
    assert answer.headers["content-type"] == "application/problem+json"
    assert told["detail"].endswith(remedy)


async def test_a_10_mb_frame_ends_the_connection_as_too_big_and_what_came_before_is_kept(device: Device) -> None:
    async with _socket(device) as socket:
        await socket.send(encode_pack([device.block(0)]))
        assert await _told(socket) == _ack(device, 0)
        await socket.send(bytes(10_000_000))
        with pytest.raises(ConnectionClosed) as caught:
            await socket.recv()
    assert caught.value.rcvd is not None
    assert caught.value.rcvd.code == 1009  # message too big (RFC 6455)
    await device.post_good(1)
    await device.only_good_is_stored(2)
