"""metrics: what a desktop app or a device measured itself, once for each moment."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest

from schemas import clock
from tests.ingest.desk import Desk, Person, problem

pytestmark = pytest.mark.embedded

FIGURES: dict[str, Any] = {
    "heart_rate": 72, "pr_interval": 160, "qrs_duration": 95, "qtc_interval": 410, "st_segment": "normal",
    "qrs_axis": "45°", "arrhythmia_type": "Normal Sinus Rhythm", "arrhythmia_confidence": 97.5,
    "raw_data_s3_path": "raw/1.bin",
}  # fmt: skip


async def _post(http: httpx.AsyncClient, person: Person, **body: object) -> dict[str, Any]:
    answer = await http.post("/ecg/metrics", json=body, headers=person.headers)
    assert answer.status_code == 201, answer.text
    told: dict[str, Any] = answer.json()
    return told


async def _device(http: httpx.AsyncClient, person: Person) -> dict[str, Any]:
    told: dict[str, Any] = (await http.post("/devices", json={}, headers=person.headers)).json()
    return told


async def test_the_row_comes_back_as_it_was_sent(http: httpx.AsyncClient, newcomer: Person) -> None:
    row = await _post(http, newcomer, **FIGURES, patient_mood="fine")
    assert row | FIGURES == row
    assert (row["user_id"], row["engine_version"], row["quality"]) == (str(newcomer.user_id), "client", 1.0)
    assert clock.now() - timedelta(minutes=1) < datetime.fromisoformat(row["recorded_at"]) <= clock.now()


async def test_the_second_delivery_changes_nothing(http: httpx.AsyncClient, desk: Desk, newcomer: Person) -> None:
    at = clock.now().isoformat()
    first = await _post(http, newcomer, heart_rate=70, recorded_at=at)
    second = await _post(http, newcomer, heart_rate=99, recorded_at=at)
    assert second == first
    query = "SELECT count(*) FROM ecg_metrics WHERE device_id = %s"
    assert await desk.value(query, first["device_id"]) == 1


async def test_without_a_device_one_is_made_once(http: httpx.AsyncClient, newcomer: Person) -> None:
    rows = [await _post(http, newcomer, heart_rate=rate) for rate in (70, 71)]
    assert rows[0]["device_id"] == rows[1]["device_id"]
    assert rows[0]["recording_id"] == rows[1]["recording_id"]
    assert rows[0]["metric_id"] != rows[1]["metric_id"]


async def test_the_only_ecg_device_is_meant_and_of_two_neither(http: httpx.AsyncClient, newcomer: Person) -> None:
    first = (await _device(http, newcomer))["device"]["device_id"]
    await http.post("/devices", json={"device_type": "cpap"}, headers=newcomer.headers)
    assert (await _post(http, newcomer))["device_id"] == first
    second = (await _device(http, newcomer))["device"]["device_id"]
    made = {(await _post(http, newcomer))["device_id"] for _ in range(2)}
    assert len(made) == 1
    assert not made & {first, second}


async def test_figures_come_as_numbers_text_or_not_at_all(http: httpx.AsyncClient, newcomer: Person) -> None:
    row = await _post(http, newcomer, heart_rate="72.6", qrs_axis=45, st_segment=-0.1, pr_interval=None)
    assert (row["heart_rate"], row["qrs_axis"], row["st_segment"], row["pr_interval"]) == (73, "45", "-0.1", None)


async def test_a_clinician_writes_for_a_patient_and_it_is_audited(
    http: httpx.AsyncClient, desk: Desk, newcomer: Person
) -> None:
    body = {"user_id": str(newcomer.user_id), "heart_rate": 66}
    assert problem(await http.post("/ecg/metrics", json=body, headers=desk.doctor.headers))["status"] == 404
    assert problem(await http.post("/ecg/metrics", json=body, headers=desk.user.headers))["status"] == 404
    await http.put(f"/users/{newcomer.user_id}/doctors/{desk.doctor.user_id}", headers=desk.admin.headers)
    row = await _post(http, desk.doctor, **body)
    assert row["user_id"] == str(newcomer.user_id)
    assert await desk.audited(row["metric_id"]) == ["metrics.create"]
    assert (await _post(http, desk.admin, **body))["device_id"] == row["device_id"]


async def test_a_device_writes_for_itself_alone(http: httpx.AsyncClient, desk: Desk, newcomer: Person) -> None:
    mine, other = await _device(http, newcomer), await _device(http, desk.user)
    headers = {"Authorization": f"Bearer {mine['token']}"}
    row = (await http.post("/ecg/metrics", json={"heart_rate": 60}, headers=headers)).json()
    assert (row["device_id"], row["user_id"]) == (mine["device"]["device_id"], str(newcomer.user_id))
    for beyond in ({"device_id": other["device"]["device_id"]}, {"user_id": str(desk.user.user_id)}):
        assert problem(await http.post("/ecg/metrics", json=beyond, headers=headers))["status"] == 403


async def test_somebody_elses_device_is_404(http: httpx.AsyncClient, desk: Desk, newcomer: Person) -> None:
    other = (await _device(http, desk.user))["device"]["device_id"]
    told = problem(await http.post("/ecg/metrics", json={"device_id": other}, headers=newcomer.headers))
    assert told["status"] == 404
    mixed = {"device_id": other, "user_id": str(newcomer.user_id)}
    assert problem(await http.post("/ecg/metrics", json=mixed, headers=desk.admin.headers))["status"] == 404


async def test_nobody_posts_nothing(http: httpx.AsyncClient) -> None:
    assert problem(await http.post("/ecg/metrics", json=FIGURES))["status"] == 401
    strange = {"X-Device-Token": "lwd_nothing"}
    assert problem(await http.post("/ecg/metrics", json=FIGURES, headers=strange))["status"] == 401


@pytest.mark.parametrize(
    "body",
    [
        {"heart_rate": -1}, {"heart_rate": "fast"}, {"heart_rate": 10**9}, {"arrhythmia_confidence": 101},
        {"recorded_at": "2026-01-01T00:00:00"}, {"recorded_at": "1969-12-31T00:00:00Z"},
        {"recorded_at": "2999-01-01T00:00:00Z"}, {"qrs_axis": "x" * 21}, {"st_segment": "a\x00"},
        {"device_id": "mine"}, {"user_id": str(uuid4())[:-1]},
    ],
)  # fmt: skip
async def test_what_can_not_be_is_422(http: httpx.AsyncClient, desk: Desk, body: dict[str, object]) -> None:
    told = problem(await http.post("/ecg/metrics", json=body, headers=desk.user.headers))
    assert told["status"] == 422


async def test_who_posts_five_times_at_once_gets_one_device(http: httpx.AsyncClient, newcomer: Person) -> None:
    rows = await asyncio.gather(*[_post(http, newcomer, heart_rate=60 + n) for n in range(5)])
    assert len({row["device_id"] for row in rows}) == 1
    assert len({row["metric_id"] for row in rows}) == 5
