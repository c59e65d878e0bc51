"""From samples to an alarm: a heart faster than its patient's limit, seen by a watcher, a webhook and the database."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import numpy as np
import pytest
from websockets.asyncio.client import connect

from ingest.player import Target, play
from ingest.simulation.strips import UV_PER_LSB, make_bank
from ingest.simulator import make_patients
from ingest.sources import RecordSource
from schemas.alarms import EXTREME_TACHYCARDIA, NO_DATA, NOTICE
from tests.pipeline.platform import Platform, running_platform
from tests.unit.processors.receiver import Receiver, receiving

pytestmark = [pytest.mark.embedded, pytest.mark.timeout(240)]

SIGNAL_S = 40
LIMIT_BPM = 60


@dataclass(frozen=True, slots=True)
class Told:
    """A platform that posts its alarms, and who gets them."""

    platform: Platform
    receiver: Receiver


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    more = {"LEADWIRE_ALARM_WEBHOOK_SECRET": "between us", "LEADWIRE_ALARM_WEBHOOK_MIN_PRIORITY": "low"}
    with receiving() as receiver:
        folder = tmp_path_factory.mktemp("alarms")
        with running_platform(folder, None, LEADWIRE_ALARM_WEBHOOK_URL=receiver.url, **more) as platform:
            yield Told(platform, receiver)


def a_heart() -> RecordSource:
    """SIGNAL_S of a simulated patient in sinus rhythm, about 75 a minute."""
    [patient] = make_patients(1, make_bank(rhythms=("normal",), strip_s=60, variants=1), rhythms=("normal",))
    samples = np.ascontiguousarray(patient.samples(0, int(SIGNAL_S * patient.rate_hz)))
    gains = (UV_PER_LSB,) * len(patient.strip.leads)
    return RecordSource("heart", patient.rate_hz, patient.strip.leads, gains, samples)


async def until_told(receiver: Receiver, *events: tuple[str, str]) -> list[dict[str, Any]]:
    """What the webhook got, once it got these (event, kind)."""
    async with asyncio.timeout(90):
        while True:
            got = [json.loads(each.body) for each in receiver.got]
            if set(events) <= {(each["event"], each["alarm"]["kind"]) for each in got}:
                return got
            await asyncio.sleep(0.1)


async def test_a_heart_faster_than_its_patient_s_limit_raises_an_alarm_everybody_learns_of(told: Told) -> None:
    platform, receiver = told.platform, told.receiver
    target = await platform.device("fast")
    async with httpx.AsyncClient(base_url=f"{platform.login.url}/api/v1") as http:
        token = await sign_in(http, platform)
        user_id = (await http.get(f"/devices/{target.device_id}")).json()["user_id"]
        limits = {"low_bpm": 20, "high_bpm": LIMIT_BPM}
        assert (await http.put(f"/users/{user_id}/alarm-limits", json=limits)).status_code == 200
        live = await alarm_seen_live(platform, target, token, user_id)
        assert (live["kind"], live["state"], live["user_id"]) == (EXTREME_TACHYCARDIA, "raised", user_id)
        assert live["value"] >= live["limit"] == LIMIT_BPM
        got = await until_told(receiver, ("alarm.raised", EXTREME_TACHYCARDIA), ("alarm.raised", NO_DATA))
        assert {each["notice"] for each in got} == {NOTICE}
        assert all("x-leadwire-signature" in each.headers for each in receiver.got)
        await acknowledged(http, live["alarm_id"])
        await until_told(receiver, ("alarm.cleared", EXTREME_TACHYCARDIA))


async def sign_in(http: httpx.AsyncClient, platform: Platform) -> str:
    login = {"username": platform.login.username, "password": platform.login.password}
    token: str = (await http.post("/auth/login", json=login)).json()["access_token"]
    http.headers["Authorization"] = f"Bearer {token}"
    return token


async def alarm_seen_live(platform: Platform, target: Target, token: str, user_id: str) -> dict[str, Any]:
    """The first alarm that a watcher sees while the heart is played."""
    url = platform.login.url.replace("http", "ws") + f"/ws/ecg/{user_id}"
    async with connect(url, additional_headers={"Authorization": f"Bearer {token}"}) as socket, asyncio.timeout(60):
        await socket.recv()
        await play(a_heart(), target, speed=0)
        while True:
            message: dict[str, Any] = json.loads(await socket.recv())
            if message["type"] == "alarm":
                return message


async def acknowledged(http: httpx.AsyncClient, alarm_id: str) -> None:
    """The device has fallen silent, so its alarm is over and waits, latched; taking note clears it."""
    path = f"/ecg/alarms/{alarm_id}"
    stored = (await http.get(path)).json()
    assert (stored["state"], stored["ended_at_us"] is not None) == ("raised", True)
    answer = await http.post(f"{path}/acknowledge")
    assert (answer.status_code, answer.json()["state"]) == (200, "cleared")
    active = (await http.get("/ecg/alarms", params={"active": True, "device_id": stored["device_id"]})).json()
    assert [each["kind"] for each in active["items"]] == [NO_DATA]
