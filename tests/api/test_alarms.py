"""Alarms as they are read: filtered, the most urgent first, and live."""

from __future__ import annotations

import json
from dataclasses import replace
from uuid import UUID

import httpx
import pytest
from aiokafka import AIOKafkaProducer
from websockets.asyncio.client import connect

from schemas import codec, topics
from schemas.alarms import DEFAULT_LIMITS
from schemas.rhythms import ASYSTOLE, ATRIAL_FIBRILLATION, BIGEMINY
from schemas.settings import Settings
from tests.api.ward import Ward

pytestmark = pytest.mark.embedded

ALARMS = "/api/v1/ecg/alarms"


@pytest.mark.parametrize(
    ("query", "kinds"),
    [
        ("", [ASYSTOLE, ATRIAL_FIBRILLATION, BIGEMINY]),
        ("?active=true", [ASYSTOLE, ATRIAL_FIBRILLATION]),
        ("?active=false", [BIGEMINY]),
        ("?priority=medium", [ATRIAL_FIBRILLATION]),
        ("?limit=1&page=2", [ATRIAL_FIBRILLATION]),
        ("?device_id={device}&user_id={ada}&active=true", [ASYSTOLE, ATRIAL_FIBRILLATION]),
        ("?device_id={ada}", []),
    ],
)
async def test_alarms_are_picked_and_sorted(
    client: httpx.AsyncClient, ward: Ward, query: str, kinds: list[str]
) -> None:
    path = ALARMS + query.format(device=ward.device.device_id, ada=ward.ada.user.user_id)
    answer = await client.get(path, headers=ward.doc.headers)
    assert [item["kind"] for item in answer.json()["items"]] == kinds


async def test_an_alarm_tells_everything_of_itself(client: httpx.AsyncClient, ward: Ward) -> None:
    answer = await client.get(f"{ALARMS}/{ward.alarm.alarm_id}", headers=ward.ada.headers)
    told = answer.json()
    assert (told["kind"], told["priority"], told["state"], told["latching"]) == (ASYSTOLE, "high", "raised", True)
    assert UUID(told["user_id"]) == ward.ada.user.user_id
    assert told["began_at_us"] == ward.alarm.began_at_us


async def test_a_priority_there_is_not_is_422(client: httpx.AsyncClient, ward: Ward) -> None:
    answer = await client.get(f"{ALARMS}?priority=urgent", headers=ward.ada.headers)
    assert (answer.status_code, answer.json()["errors"][0]["where"]) == (422, "query.priority")


async def test_limits_nobody_set_are_the_default(client: httpx.AsyncClient, ward: Ward) -> None:
    path = f"/api/v1/users/{ward.ada.user.user_id}/alarm-limits"
    told = (await client.get(path, headers=ward.ada.headers)).json()
    assert (told["is_default"], told["low_bpm"], told["off"]) == (True, DEFAULT_LIMITS.low_bpm, [])


async def test_an_alarm_comes_live_to_whoever_watches_the_patient(served: str, ward: Ward, settings: Settings) -> None:
    address = f"{served.replace('http', 'ws')}/ws/ecg/{ward.ada.user.user_id}"
    sending = AIOKafkaProducer(bootstrap_servers=settings.kafka.bootstrap, acks="all")
    await sending.start()
    async with connect(address, additional_headers=ward.doc.headers) as socket:
        await socket.recv()
        for device in (ward.bobs_device, ward.device):
            value = codec.encode_alarm(replace(ward.alarm, device_id=device.device_id))
            await sending.send_and_wait(topics.ALARMS, value, topics.device_key(device.device_id))
        told = json.loads(await socket.recv())
    await sending.stop()
    assert (told["type"], told["alarm_id"], told["state"]) == ("alarm", str(ward.alarm.alarm_id), "raised")
    assert told["device_id"] == str(ward.device.device_id)


async def test_the_api_s_own_document_says_what_it_is_not_for(client: httpx.AsyncClient) -> None:
    told = (await client.get("/api/v1/openapi.json")).json()
    assert "not for primary alarms" in told["paths"][ALARMS]["get"]["description"]
    assert "not for diagnosis or primary alarms" in told["info"]["description"]
