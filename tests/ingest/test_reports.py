"""ecg/reports: a row and a request that go together, or a row that says that nobody was told."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from leadwire.brokers import ensure_topics
from leadwire.children import Children, wait_until
from leadwire.embedded import free_port, is_listening, start_broker
from processors.topic_reader import read_topic
from schemas import topics
from schemas.codec import decode_report_event
from schemas.reports import ReportEvent
from schemas.settings import KafkaSettings, Settings
from tests.ingest.desk import Desk, Person, problem, serving

pytestmark = pytest.mark.embedded
START, END = "2026-01-31T12:00:00+01:00", "2026-01-31T13:00:00+01:00"
START_US = 1_769_857_200_000_000


@pytest.fixture
async def device_id(http: httpx.AsyncClient, desk: Desk) -> str:
    answer = await http.post("/devices", json={"device_serial": uuid4().hex}, headers=desk.user.headers)
    return str(answer.json()["device"]["device_id"])


def _body(device_id: str) -> dict[str, str]:
    return {"device_id": device_id, "start": START, "end": END}


async def _status_of_reports(desk: Desk, device_id: str) -> list[str]:
    query = "SELECT array_agg(upload_status::text) FROM ecg_reports WHERE device_id = %s"
    return await desk.value(query, UUID(device_id)) or []


async def test_a_request_is_a_pending_row_and_an_event(
    http: httpx.AsyncClient, desk: Desk, settings: Settings, device_id: str
) -> None:
    answer = await http.post("/ecg/reports", json=_body(device_id), headers=desk.user.headers)
    report_id = answer.json()["report_id"]
    assert (answer.status_code, answer.json()["upload_status"]) == (202, "pending")
    assert answer.headers["location"] == f"/api/v1/ecg/reports/{report_id}"
    assert await _status_of_reports(desk, device_id) == ["pending"]
    assert await desk.audited(report_id) == ["report.request"]
    records = read_topic(settings.kafka, topics.REPORTS, UUID(device_id))
    [event] = [decode_report_event(one.value) async for one in records if one.key == device_id.encode()]
    assert event == ReportEvent(UUID(report_id), UUID(device_id), "requested", START_US, START_US + 3_600_000_000)


async def test_nobody_asks_for_a_report(http: httpx.AsyncClient, desk: Desk, device_id: str) -> None:
    assert problem(await http.post("/ecg/reports", json=_body(device_id)))["status"] == 401
    assert await _status_of_reports(desk, device_id) == []


async def test_about_a_device_that_is_not_yours_it_is_404(
    http: httpx.AsyncClient, desk: Desk, newcomer: Person, device_id: str
) -> None:
    told = problem(await http.post("/ecg/reports", json=_body(device_id), headers=newcomer.headers))
    assert (told["status"], told["title"]) == (404, "Not found")
    assert device_id in told["detail"]
    assert await _status_of_reports(desk, device_id) == []


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"end": START}, "end is 0:00:00 after start; send a period of up to 24 hours"),
        ({"start": END, "end": START}, "after start; send a period of up to 24 hours"),
        ({"end": "2026-02-01T13:00:00+01:00"}, "end is 1 day, 1:00:00 after start"),
        ({"start": "2026-01-31T12:00:00"}, "body.start: Input should have timezone info"),
        ({"start": "yesterday"}, "body.start: "),
        ({"start": "0001-01-01T00:00:00+14:00", "end": "0001-01-01T01:00:00+14:00"}, "of the years 1900 to 2199"),
        ({"device_id": "mine"}, "body.device_id: "),
        ({"title": "ECG"}, "body.title: "),
    ],
)
async def test_a_bad_period_is_422_and_leaves_no_row(
    http: httpx.AsyncClient, desk: Desk, device_id: str, changed: dict[str, str], named: str
) -> None:
    told = problem(await http.post("/ecg/reports", json=_body(device_id) | changed, headers=desk.user.headers))
    assert told["status"] == 422
    assert named in told["detail"]
    assert told["detail"].endswith("correct this and send the request again")
    assert await _status_of_reports(desk, device_id) == []


@asynccontextmanager
async def _kafka_never_there(settings: Settings, _: Path) -> AsyncIterator[httpx.AsyncClient]:
    nowhere = settings.kafka.model_copy(update={"bootstrap": f"127.0.0.1:{free_port()}"})
    async with serving(settings, nowhere, timeout_s=0.5) as client:
        yield client


@asynccontextmanager
async def _kafka_gone(settings: Settings, folder: Path) -> AsyncIterator[httpx.AsyncClient]:
    """A gateway whose broker was there when it started."""
    with Children(folder) as children:
        broker = start_broker(children)
        wait_until(lambda: is_listening(broker.address), broker.child, within_s=20)
        kafka: KafkaSettings = settings.kafka.model_copy(update={"bootstrap": broker.address})
        await ensure_topics(kafka)
        async with serving(settings, kafka, timeout_s=1.0) as client:
            children.kill(broker.child)
            yield client


@pytest.fixture(params=[_kafka_never_there, _kafka_gone], ids=["never-there", "gone"])
async def alone(request: pytest.FixtureRequest, settings: Settings, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    """A gateway without Kafka."""
    async with request.param(settings, tmp_path) as client:
        yield client


async def test_when_kafka_is_away_it_is_503_and_the_row_says_failed(
    alone: httpx.AsyncClient, desk: Desk, device_id: str
) -> None:
    answer = await alone.post("/ecg/reports", json=_body(device_id), headers=desk.user.headers)
    told: dict[str, Any] = problem(answer)
    assert (told["status"], answer.headers["retry-after"]) == (503, "5")
    assert "Kafka" in told["detail"]
    assert "again in 5 s" in told["detail"]
    assert await _status_of_reports(desk, device_id) == ["failed"]


async def test_people_and_devices_come_in_while_kafka_is_away(alone: httpx.AsyncClient, desk: Desk) -> None:
    assert (await alone.post("/devices", json={}, headers=desk.user.headers)).status_code == 201
