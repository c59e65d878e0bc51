"""Who reads a patient's data is written down: who, what, whose and from where; and so is every file that leaves."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import replace
from typing import Final
from uuid import uuid4

import httpx
import pytest
from starlette.types import Message

from api.app import create_api
from schemas import clock
from schemas.audit import AuditEntry
from schemas.errors import Busy
from schemas.pages import PageRequest
from schemas.settings import Settings
from storage.audit import AuditFilter, list_entries
from tests.api.ward import Person, Ward

READS = [
    ("users/{ada}", "user.read", "{ada}"),
    ("users/{ada}/devices", "devices.read", "{ada}"),
    ("users/{ada}/reports", "reports.read", "{ada}"),
    ("users/{ada}/metrics", "metrics.read", "{ada}"),
    ("users/{ada}/doctors", "care.read", "{ada}"),
    ("devices?user_id={ada}", "devices.read", "{ada}"),
    ("devices/{device}", "device.read", "{device}"),
    ("devices/{device}/reports", "reports.read", "{device}"),
    ("ecg/reports?device_id={device}", "reports.read", "{device}"),
    ("ecg/reports/{report}", "report.read", "{report}"),
    ("ecg/reports/{report}/download", "report.download", "{report}"),
    ("ecg/reports/{report}/url", "report.link", "{report}"),
    ("cloud/files?user_id={ada}", "files.read", "{ada}"),
    ("cloud/files/{report}/url", "file.link", "{report}"),
    ("ecg/metrics?device_id={device}", "metrics.read", "{device}"),
    ("ecg/metrics/latest?user_id={ada}", "metrics.read", "{ada}"),
    ("ecg/beats?device_id={device}", "beats.read", "{device}"),
    (
        "ecg/beats/burden?device_id={device}&start=2026-11-01T00:00:00Z&end=2026-11-30T00:00:00Z",
        "beats.read",
        "{device}",
    ),
    ("ecg/hrv?device_id={device}", "hrv.read", "{device}"),
    ("ecg/rhythms?device_id={device}", "rhythms.read", "{device}"),
    ("ecg/recordings?device_id={device}", "recordings.read", "{device}"),
    ("ecg/recordings/{recording}", "recording.read", "{recording}"),
    ("ecg/samples?recording_id={recording}&points=10", "samples.read", "{recording}"),
    ("ecg/alarms?user_id={ada}", "alarms.read", "{ada}"),
    ("ecg/alarms/{alarm}", "alarm.read", "{alarm}"),
    ("users/{ada}/alarm-limits", "alarm_limits.read", "{ada}"),
]
ADDRESS: Final = ("192.0.2.7", 1)
BY_ADMINS = [
    ("users", "users.read", "all"),
    ("admin/users", "users.read", "all"),
    ("admin/users/{ada}", "user.read", "{ada}"),
    ("admin/reports", "reports.read", "all"),
    ("admin/reports/{report}", "report.link", "{report}"),
    ("admin/audit?patient_id={ada}", "audit.read", "{ada}"),
    ("devices/live?within_s=3600", "live.read", "all"),
]
NOTHING_SEEN = ["ecg/beats?device_id={nobody}", "ecg/recordings/{nobody}", "ecg/hrv?device_id={nobody}"]


def names(ward: Ward) -> dict[str, object]:
    return {
        "ada": ward.ada.user.user_id,
        "device": ward.device.device_id,
        "recording": ward.recording.recording_id,
        "alarm": ward.alarm.alarm_id,
        "report": ward.report_id,
        "nobody": uuid4(),
    }


async def visit(settings: Settings, who: Person | None, paths: list[str]) -> list[httpx.Response]:
    """The answers; when the application has ended, everything is written."""
    app = create_api(settings)
    transport = httpx.ASGITransport(app=app, client=ADDRESS)
    headers = who.headers if who else {}
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url=settings.http.public_url, headers=headers) as client,
    ):
        return [await client.get(path if path.startswith("http") else f"/api/v1/{path}") for path in paths]


async def seen(settings: Settings, ward: Ward, who: Person, paths: list[str]) -> list[AuditEntry]:
    """The lines that `who` leaves by visiting `paths`, oldest first."""
    since = clock.now()
    await visit(settings, who, [path.format(**names(ward)) for path in paths])
    return await lines(ward, AuditFilter(actor=str(who.user.user_id), since=since))


async def lines(ward: Ward, wanted: AuditFilter) -> list[AuditEntry]:
    async with ward.database.transaction() as conn:
        return (await list_entries(conn, wanted, PageRequest(1, 500))).items[::-1]


@pytest.mark.parametrize("name", ["doc", "root"])
async def test_what_doctors_and_admins_read_is_noted_with_the_patient(
    settings: Settings, ward: Ward, name: str
) -> None:
    found = await seen(settings, ward, ward.by_name(name), [path for path, _, _ in READS])
    wanted = {(action, subject.format(**names(ward))) for _, action, subject in READS}
    assert {(line.action, line.subject) for line in found} == wanted
    assert {(line.patient_id, line.address) for line in found} == {(ward.ada.user.user_id, "192.0.2.7")}


async def test_what_patients_read_of_themselves_is_not(settings: Settings, ward: Ward) -> None:
    found = await seen(settings, ward, ward.ada, [path for path, _, _ in READS])
    assert [line.action for line in found] == ["report.download", "report.link", "file.link"]
    assert {line.patient_id for line in found} == {ward.ada.user.user_id}


async def test_what_only_admins_read_is_noted_too(settings: Settings, ward: Ward) -> None:
    found = await seen(settings, ward, ward.root, [path for path, _, _ in BY_ADMINS])
    wanted = {(action, subject.format(**names(ward))) for _, action, subject in BY_ADMINS}
    assert wanted <= {(line.action, line.subject) for line in found}


async def test_every_download_is_noted_and_one_by_a_link_too(settings: Settings, ward: Ward) -> None:
    since, report = clock.now(), f"ecg/reports/{ward.report_id}"
    [_, answer] = await visit(settings, ward.ada, [f"{report}/download", f"{report}/url"])
    link = answer.json()["url"]
    answers = await visit(settings, None, [link, link])
    assert [answer.status_code for answer in answers] == [200, 200]
    found = await lines(ward, AuditFilter(ward.ada.user.user_id, since=since))
    assert [line.action for line in found] == ["report.download", "report.link", "file.download", "file.download"]
    assert {line.actor for line in found[2:]} == {"link"}


async def test_the_audit_log_is_for_admins(settings: Settings, ward: Ward) -> None:
    await visit(settings, ward.doc, [f"users/{ward.ada.user.user_id}"])
    asked = f"admin/audit?patient_id={ward.ada.user.user_id}&action=user.read&limit=1"
    for who, status in ((ward.ada, 403), (ward.doc, 403), (None, 401), (ward.root, 200)):
        [answer] = await visit(settings, who, [asked])
        assert answer.status_code == status
    [entry] = answer.json()["items"]
    assert (entry["action"], entry["patient_id"]) == ("user.read", str(ward.ada.user.user_id))


class FullLog:
    """Where nothing can be noted any more."""

    def read(self, _: object) -> None:
        """Lost."""

    def handed_out(self, _: object, *, once: bool = False) -> None:
        raise Busy(f"nothing can be noted (once: {once}); wait")


async def test_no_file_leaves_that_can_not_be_noted(settings: Settings, ward: Ward) -> None:
    app = create_api(settings)
    transport, headers = httpx.ASGITransport(app=app), ward.root.headers
    paths = ["ecg/reports/{report}/download", "ecg/reports/{report}/url", "admin/reports", "ecg/reports/{report}"]
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url=settings.http.public_url, headers=headers) as client,
    ):
        app.state.rooms = replace(app.state.rooms, reads=FullLog())
        answers = [await client.get(f"/api/v1/{path.format(**names(ward))}") for path in paths]
    assert [answer.status_code for answer in answers] == [503, 503, 503, 200]


async def test_what_was_not_shown_was_not_read(settings: Settings, ward: Ward) -> None:
    assert await seen(settings, ward, ward.doc, NOTHING_SEEN) == []


async def test_asking_every_second_is_one_line(settings: Settings, ward: Ward) -> None:
    found = await seen(settings, ward, ward.doc, ["ecg/metrics/latest?device_id={device}"] * 5)
    assert Counter(line.action for line in found) == {"metrics.read": 1}


async def watch(settings: Settings, ward: Ward, who: Person) -> list[Message]:
    """What a live WebSocket is sent until its hello."""
    app, sent, greeted = create_api(settings), list[Message](), asyncio.Event()
    path, query = f"/ws/ecg/{ward.ada.user.user_id}", f"token={who.token}".encode()
    scope = {"type": "websocket", "path": path, "raw_path": path.encode(), "query_string": query,
             "headers": [], "subprotocols": [], "client": ADDRESS, "scheme": "ws", "state": {}}  # fmt: skip

    async def receive() -> Message:
        if not sent:
            return {"type": "websocket.connect"}
        await greeted.wait()
        return {"type": "websocket.disconnect", "code": 1000}

    async def send(message: Message) -> None:
        sent.append(dict(message))
        if message["type"] != "websocket.accept":
            greeted.set()

    async with app.router.lifespan_context(app):
        await app(scope, receive, send)
    return sent


async def test_the_start_of_a_live_watch_is_noted(settings: Settings, ward: Ward) -> None:
    since = clock.now()
    _, hello, *_ = await watch(settings, ward, ward.doc)
    assert '"hello"' in hello["text"]
    [line] = await lines(ward, AuditFilter(actor=str(ward.doc.user.user_id), since=since))
    assert (line.action, line.patient_id, line.address) == ("live.watch", ward.ada.user.user_id, "192.0.2.7")
