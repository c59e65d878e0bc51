"""The gateway takes samples from devices it knows, and answers everything else with a problem."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
import uvicorn
from fastapi import FastAPI
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus
from websockets.typing import Subprotocol

from ingest.device_cache import DeviceCache
from ingest.gateway import application
from ingest.producer import SampleProducer
from ingest.rooms import WriteRooms
from schemas.accounts import Caller, DeviceCaller
from schemas.clock import now_us
from schemas.codec import decode_pack, encode_pack
from schemas.settings import HttpSettings, KafkaSettings, RateSettings, SecuritySettings
from storage.cache import MemoryCache
from storage.counts import MemoryCounts
from storage.database import Database
from storage.objects_local import LocalObjects
from tests.unit.ingest.examples import BLOCK, DEVICE, FakeKafka, block
from web.callers import Door
from web.limits import Limits
from web.tokens import DEVICE_PREFIX, token_hash

TOKEN = f"{DEVICE_PREFIX}good"
PATH = "/api/v1/ecg/samples"
PROTOBUF = {"Content-Type": "application/x-protobuf", "Authorization": f"Bearer {TOKEN}"}


async def _by_token(hashed: bytes) -> DeviceCaller | None:
    return DeviceCaller(DEVICE, None) if hashed == token_hash(TOKEN) else None


async def _by_tokens(hashes: Collection[bytes]) -> dict[bytes, DeviceCaller]:
    return {one: DeviceCaller(DEVICE, None) for one in hashes if one == token_hash(TOKEN)}


async def _no_session(_: Caller) -> None:
    return None


def _app(kafka: FakeKafka, **http: Any) -> FastAPI:
    security = SecuritySettings.model_validate({"environment": "development"})
    kafka_settings = KafkaSettings.model_validate({"pack_linger_s": 0})
    producer = SampleProducer(kafka_settings, client=lambda _: kafka, timeout_s=0.2)
    http_settings = HttpSettings.model_validate({"max_clock_skew_s": 1e12, **http})
    rooms = WriteRooms(
        database=Database("postgresql://nobody@127.0.0.1:1/nothing", pool_size=1),
        producer=producer,
        devices=DeviceCache(_by_tokens, lambda: 0.0),
        objects=LocalObjects(Path("nowhere"), security.secret_key, "http://nowhere"),
        cache=MemoryCache(),
        http=http_settings,
        security=security,
        limits=Limits(RateSettings.model_validate({}), MemoryCounts()),
    )
    return application(rooms, Door(security, _no_session, _by_token))


async def _post(body: bytes, headers: dict[str, str], kafka: FakeKafka, **http: Any) -> httpx.Response:
    app = _app(kafka, **http)
    await app.state.rooms.producer.start()
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
        answer = await client.post(PATH, content=body, headers=headers)
    await app.state.rooms.producer.stop()
    return answer


async def test_blocks_are_in_kafka_when_202_is_answered() -> None:
    kafka = FakeKafka()
    before_us = now_us()
    answer = await _post(encode_pack([BLOCK, block(250)]), PROTOBUF, kafka)
    assert (answer.status_code, answer.json()) == (202, {"accepted": 2, "samples": 500})
    stored = decode_pack(kafka.records[0][3])
    assert all(before_us <= one.received_at_us <= now_us() for one in stored)


async def test_json_is_taken_too_and_the_token_may_be_in_its_own_header() -> None:
    fields = {
        "device_id": str(DEVICE), "recording_id": str(DEVICE), "first_index": 0, "started_at_us": now_us(),
        "rate_hz": 250, "leads": ["II"], "uv_per_lsb": 5, "samples": [1, None],
    }  # fmt: skip
    kafka = FakeKafka()
    headers = {"Content-Type": "application/json", "X-Device-Token": TOKEN}
    answer = await _post(json.dumps(fields).encode(), headers, kafka)
    assert (answer.status_code, answer.json()) == (202, {"accepted": 1, "samples": 2})


@pytest.mark.parametrize(
    ("headers", "body", "status", "told"),
    [
        ({"Authorization": f"Bearer {DEVICE_PREFIX}wrong"}, b"", 401, "no active device has this token"),
        ({"Authorization": ""}, b"", 401, "no device token; send"),
        ({}, encode_pack([block(device_id=UUID(int=99))]), 403, "send each device's blocks with that device's token"),
        ({"Content-Type": "text/plain"}, b"", 415, "send application/json or application/x-protobuf"),
        ({}, b"no pack", 422, "encode it as schemas/ecg.proto says"),
        ({"Content-Type": "application/json"}, b"{", 422, "the body is no JSON"),
        ({}, b"x" * 10_000_000, 413, "send it in smaller parts"),
    ],
)
async def test_bad_input_has_a_clear_answer(headers: dict[str, str], body: bytes, status: int, told: str) -> None:
    kafka = FakeKafka()
    answer = await _post(body, PROTOBUF | headers, kafka)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    assert told in answer.json()["detail"]
    assert kafka.records == []


async def test_a_clock_a_year_off_is_refused() -> None:
    answer = await _post(encode_pack([BLOCK]), PROTOBUF, FakeKafka(), max_clock_skew_s=86_400)
    assert answer.status_code == 422
    assert "set the device's clock" in answer.json()["detail"]


async def test_kafka_away_is_503_with_retry_after() -> None:
    answer = await _post(encode_pack([BLOCK]), PROTOBUF, FakeKafka(away=True))
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")


@asynccontextmanager
async def _socket_url(kafka: FakeKafka) -> AsyncIterator[str]:
    """The gateway behind the server it runs on, because only that one opens sockets."""
    app = _app(kafka)
    await app.state.rooms.producer.start()
    server = uvicorn.Server(uvicorn.Config(app, port=0, lifespan="off", log_level="error", ws="websockets-sansio"))
    serving = asyncio.create_task(server.serve())
    async with asyncio.timeout(10):
        while not server.started:  # noqa: ASYNC110  # uvicorn tells it by nothing else
            await asyncio.sleep(0)
    yield f"ws://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}{PATH}"
    server.should_exit = True
    await serving
    await app.state.rooms.producer.stop()


@pytest.mark.parametrize(
    ("query", "headers", "subprotocols"),
    [
        ("", {"Authorization": f"Bearer {TOKEN}"}, None),
        ("", {"X-Device-Token": TOKEN}, None),
        (f"?token={TOKEN}", {}, None),
        ("", {}, ["leadwire", TOKEN]),
    ],
)
async def test_a_socket_takes_its_token_from_any_of_four_places(
    query: str, headers: dict[str, str], subprotocols: list[Subprotocol] | None
) -> None:
    async with (
        _socket_url(FakeKafka()) as url,
        connect(url + query, additional_headers=headers, subprotocols=subprotocols, proxy=None) as socket,
    ):
        assert socket.subprotocol == (subprotocols[0] if subprotocols else None)
        await socket.send(encode_pack([BLOCK]))
        assert json.loads(await socket.recv())["type"] == "ack"


async def test_a_socket_without_a_good_token_is_401_before_it_opens() -> None:
    async with _socket_url(FakeKafka()) as url:
        with pytest.raises(InvalidStatus) as caught:
            await connect(f"{url}?token=lwd_no", proxy=None)
    assert caught.value.response.status_code == 401
    assert b"no active device has this token" in (caught.value.response.body or b"")
