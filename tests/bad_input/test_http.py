"""POST ecg/samples: what is bad is refused whole, said with its remedy, and never reaches Kafka."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest

from schemas.codec import encode_pack
from tests.bad_input.cases import CASES, BadInput
from tests.bad_input.scene import COUNT, JSON, Device, Scene
from web.tokens import new_device_token

pytestmark = pytest.mark.embedded
PATH = "/api/v1/ecg/samples"


def _problem(answer: httpx.Response) -> dict[str, Any]:
    """The problem document (RFC 9457) of an answer, its shape asserted."""
    told: dict[str, Any] = answer.json()
    assert answer.headers["content-type"] == "application/problem+json"
    assert told.keys() == {"type", "title", "status", "detail", "instance"}
    assert told["type"] == "urn:leadwire:" + told["title"].lower().replace(" ", "-")
    assert (told["status"], told["instance"]) == (answer.status_code, PATH)
    return told


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
async def test_a_bad_body_is_refused_with_its_remedy_and_never_reaches_kafka(case: BadInput, device: Device) -> None:
    await _send(case, device)
    assert await device.in_kafka(2) == [0, COUNT]


async def test_nothing_bad_is_stored_and_all_the_good_beside_it_is(scene: Scene) -> None:
    devices = [await scene.device() for _ in CASES]
    for case, device in zip(CASES, devices, strict=True):
        await _send(case, device)
    await asyncio.gather(*(device.only_good_is_stored(2) for device in devices))


async def _send(case: BadInput, device: Device) -> None:
    """The bad between two good ones."""
    await device.post_good(0)
    case.check(_problem(await device.post(case.body(device), case.kind(device))))
    await device.post_good(1)


async def test_no_token_is_401_and_says_where_to_put_it(device: Device) -> None:
    answer = await device.post(encode_pack([device.block()]), token="")
    told = _problem(answer)
    assert (told["status"], answer.headers["www-authenticate"]) == (401, "Bearer")
    assert told["detail"] == "no device token; send Authorization: Bearer lwd_… or X-Device-Token"
    await device.post_good(1)
    assert await device.in_kafka(1) == [COUNT]


@pytest.mark.parametrize("token", [new_device_token(), "lwd_", "a.jwt.perhaps"])
async def test_a_token_of_no_device_is_401_and_says_how_to_get_one(device: Device, token: str) -> None:
    answer = await device.post(encode_pack([device.block()]), token=token)
    told = _problem(answer)
    assert (told["status"], answer.headers["www-authenticate"]) == (401, "Bearer")
    assert told["detail"].startswith("no active device has this token; ")
    assert told["detail"].endswith("have an admin rotate it (POST devices/{id}/token)")
    await device.post_good(1)
    assert await device.in_kafka(1) == [COUNT]


async def test_a_persons_token_is_no_devices_token(device: Device) -> None:
    answer = await device.post(encode_pack([device.block()]), token=device.scene.admin_token)
    assert _problem(answer)["status"] == 401


async def test_another_media_type_is_415_and_says_which_are_taken(device: Device) -> None:
    told = _problem(await device.post(encode_pack([device.block()]), "text/csv"))
    assert told["status"] == 415
    assert told["detail"] == "Content-Type is text/csv; send application/json or application/x-protobuf"


@pytest.mark.parametrize("kind", [JSON, "application/x-protobuf"])
async def test_10_mb_are_413_and_not_a_broken_connection(device: Device, kind: str) -> None:
    told = _problem(await device.post(b" " * 10_000_000, kind))
    assert (told["status"], told["title"]) == (413, "Too large")
    assert told["detail"] == "the body is over 4194304 bytes, the limit; send it in smaller parts"
    await device.post_good(0)
    await device.only_good_is_stored(1)


async def test_10_mb_of_unknown_length_are_413_too(device: Device) -> None:
    async def chunks() -> Any:
        for _ in range(100):
            yield b" " * 100_000

    headers = {"Content-Type": JSON, "Authorization": f"Bearer {device.token}"}
    told = _problem(await device.scene.http.post("/ecg/samples", content=chunks(), headers=headers))
    assert (told["status"], told["title"]) == (413, "Too large")


async def test_10_mb_from_nobody_are_not_taken_either(device: Device) -> None:
    assert _problem(await device.post(b" " * 10_000_000, token=""))["status"] == 413
