"""ecg/reports/upload: a file becomes one report, whatever fails on its way and however often it is sent."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from ingest import uploads
from schemas import clock
from schemas.errors import Busy
from schemas.settings import Settings
from storage import object_removals
from tests.ingest.desk import Desk, Person, problem, serving
from tests.ingest.files import (
    EXAMPLES,
    REFUSED,
    UnreliableObjects,
    gateway_on,
    pdf,
    send,
    store_of,
    unreliable,
)

pytestmark = pytest.mark.embedded


@pytest.fixture
def store(settings: Settings, tmp_path: Path) -> UnreliableObjects:
    return unreliable(settings, tmp_path / "objects")


@pytest.fixture
async def frail(settings: Settings, store: UnreliableObjects) -> AsyncIterator[httpx.AsyncClient]:
    """A gateway whose store can be away."""
    async with gateway_on(settings, store) as client:
        yield client


async def logged(desk: Desk, data: bytes) -> list[str]:
    """What upload_logs says of a file, in its order."""
    query = "SELECT array_agg(upload_status::text ORDER BY uploaded_at) FROM upload_logs WHERE sha256 = %s"
    return await desk.value(query, hashlib.sha256(data).digest()) or []


async def rows(desk: Desk, data: bytes) -> list[str]:
    """The statuses of all rows of a file."""
    query = "SELECT array_agg(upload_status::text) FROM ecg_reports WHERE sha256 = %s"
    return await desk.value(query, hashlib.sha256(data).digest()) or []


async def test_a_report_is_a_row_an_object_a_log_line_and_an_audit_line(
    http: httpx.AsyncClient, desk: Desk, settings: Settings
) -> None:
    data = pdf()
    answer = await send(http, desk.user, data, filename="My ECG.pdf", heart_rate="72", patient_name="Ada L.")
    told = answer.json()
    assert (answer.status_code, told["upload_status"], told["filename"]) == (201, "uploaded", "My ECG.pdf")
    assert (told["heart_rate"], told["patient_name"], told["file_size"]) == (72, "Ada L.", len(data))
    assert (told["user_id"], told["sha256"]) == (str(desk.user.user_id), hashlib.sha256(data).hexdigest())
    assert told["file_path_s3"] == f"uploads/{desk.user.user_id}/{told['report_id']}.pdf"
    assert told["cloud_url"].endswith(told["file_path_s3"])
    assert answer.headers["location"] == f"/api/v1/ecg/reports/{told['report_id']}"
    assert await store_of(settings).get(told["file_path_s3"]) == data
    assert await logged(desk, data) == ["success"]
    assert await desk.audited(told["report_id"]) == ["report.upload"]


async def test_the_seeds_form_is_taken_as_it_comes(http: httpx.AsyncClient, desk: Desk) -> None:
    form = {
        "user_id": str(desk.user.user_id), "device_id": "", "patient_age": "36.0", "report_date": "2026-01-31 12:00:00",
        "machine_serial": "SN-1", "pr_interval": "159.6", "qrs_duration": "90", "qtc_interval": "410",
        "st_segment": "Normal", "qrs_axis": "47°", "software": "unknown to us",
    }  # fmt: skip
    told = (await send(http, desk.user, pdf(), **form)).json()
    assert {name: told[name] for name in ("patient_age", "pr_interval", "st_segment", "qrs_axis", "device_id")} == {
        "patient_age": 36, "pr_interval": 160, "st_segment": "Normal", "qrs_axis": "47°", "device_id": None,
    }  # fmt: skip
    assert told["report_date"] == "2026-01-31T12:00:00Z"


async def test_the_same_file_again_is_409_and_says_where_it_is(http: httpx.AsyncClient, desk: Desk) -> None:
    data = pdf()
    first = (await send(http, desk.user, data)).json()["report_id"]
    again = await send(http, desk.user, data, filename="other.pdf")
    assert (problem(again)["status"], first in again.json()["detail"]) == (409, True)
    assert again.headers["location"].endswith(first)
    assert await logged(desk, data) == ["success", "duplicate"]
    assert await rows(desk, data) == ["uploaded"]


async def test_two_people_may_have_the_same_file(http: httpx.AsyncClient, desk: Desk, newcomer: Person) -> None:
    data = pdf()
    answers = [await send(http, who, data) for who in (desk.user, newcomer)]
    assert [answer.status_code for answer in answers] == [201, 201]


async def test_of_two_at_once_one_is_stored(frail: httpx.AsyncClient, desk: Desk, store: UnreliableObjects) -> None:
    data = pdf()
    answers = await asyncio.gather(*(send(frail, desk.user, data) for _ in range(5)))
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409, 409]
    assert await rows(desk, data) == ["uploaded"]
    assert sorted(await logged(desk, data)) == ["duplicate"] * 4 + ["success"]
    assert [path.read_bytes() for path in (store._folder / "uploads").rglob("*.pdf")] == [data]


async def test_a_store_that_is_away_is_503_and_the_same_file_comes_in_later_under_the_same_id(
    frail: httpx.AsyncClient, desk: Desk, store: UnreliableObjects
) -> None:
    data, store.is_away = pdf(), True
    refused = await send(frail, desk.user, data)
    assert (problem(refused)["status"], refused.headers["retry-after"]) == (503, "5")
    assert await rows(desk, data) == ["failed"]
    query = "SELECT report_id FROM ecg_reports WHERE sha256 = %s"
    report_id = await desk.value(query, hashlib.sha256(data).digest())
    store.is_away = False
    answer = await send(frail, desk.user, data, heart_rate="61")
    assert (answer.status_code, answer.json()["report_id"]) == (201, str(report_id))
    assert answer.json()["heart_rate"] == 61
    assert await logged(desk, data) == ["failed", "success"]


async def test_a_gateway_that_died_on_the_way_is_gone_on_from(
    http: httpx.AsyncClient, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = pdf()

    async def dies(*_: object) -> Any:
        raise Busy("the power went; come again")

    with monkeypatch.context() as patch:
        patch.setattr(uploads, "_finish", dies)
        assert (await send(http, desk.user, data)).status_code == 503
    assert await rows(desk, data) == ["pending"]
    assert (await send(http, desk.user, data)).status_code == 201
    assert await rows(desk, data) == ["uploaded"]
    assert await logged(desk, data) == ["success"]


@pytest.mark.parametrize("kind", EXAMPLES)
async def test_every_type_is_known_by_its_content(http: httpx.AsyncClient, newcomer: Person, kind: str) -> None:
    told = (await send(http, newcomer, EXAMPLES[kind], filename="scan")).json()
    assert told["file_type"] == kind
    assert told["filename"].startswith("scan.")


@pytest.mark.parametrize("kind", REFUSED)
async def test_anything_else_called_pdf_is_415_and_logged(
    http: httpx.AsyncClient, desk: Desk, newcomer: Person, kind: str
) -> None:
    told = problem(await send(http, newcomer, REFUSED[kind], filename="report.pdf"))
    assert told["status"] == 415
    assert "send one of PDF, PNG" in told["detail"]
    assert await desk.value("SELECT count(*) FROM ecg_reports WHERE user_id = %s", newcomer.user_id) == 0
    query = "SELECT upload_status FROM upload_logs WHERE user_id = %s"
    assert await desk.value(query, newcomer.user_id) == "failed"


async def test_a_doctor_sends_for_a_patient_in_care_and_for_nobody_else(
    http: httpx.AsyncClient, desk: Desk, newcomer: Person
) -> None:
    async with desk.database.transaction() as conn:
        ids = [desk.doctor.user_id, newcomer.user_id]
        await conn.execute("INSERT INTO care_assignments (doctor_id, patient_id) VALUES (%s, %s)", ids)
    answer = await send(http, desk.doctor, pdf(), user_id=str(newcomer.user_id))
    assert (answer.status_code, answer.json()["user_id"]) == (201, str(newcomer.user_id))
    assert problem(await send(http, desk.doctor, pdf(), user_id=str(desk.user.user_id)))["status"] == 404


async def test_an_admin_sends_for_anyone_and_a_user_for_themself(
    http: httpx.AsyncClient, desk: Desk, newcomer: Person
) -> None:
    assert (await send(http, desk.admin, pdf(), user_id=str(newcomer.user_id))).status_code == 201
    for other in (desk.user.user_id, uuid4()):
        assert problem(await send(http, newcomer, pdf(), user_id=str(other)))["status"] == 404
    assert problem(await send(http, desk.admin, pdf(), user_id=str(uuid4())))["status"] == 404


async def test_a_device_names_its_owner_and_another_persons_device_does_not_exist(
    http: httpx.AsyncClient, desk: Desk, newcomer: Person
) -> None:
    made = await http.post("/devices", json={"device_serial": uuid4().hex}, headers=newcomer.headers)
    device_id = made.json()["device"]["device_id"]
    by_admin = (await send(http, desk.admin, pdf(), device_id=device_id)).json()
    assert (by_admin["user_id"], by_admin["device_id"]) == (str(newcomer.user_id), device_id)
    assert problem(await send(http, desk.user, pdf(), device_id=device_id))["status"] == 404


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("user_id", "me"),
        ("heart_rate", "fast"),
        ("patient_age", "1000"),
        ("report_date", "soon"),
        ("qrs_axis", "x" * 21),
    ],
)
async def test_a_field_that_says_nonsense_is_422_and_leaves_no_row(
    http: httpx.AsyncClient, desk: Desk, field: str, value: str
) -> None:
    data = pdf()
    told = problem(await send(http, desk.user, data, **{field: value}))
    assert (told["status"], f"body.{field}: " in told["detail"]) == (422, True)
    assert await rows(desk, data) == []


async def test_nobody_sends_nothing(http: httpx.AsyncClient) -> None:
    answer = await http.post("/ecg/reports/upload", files={"file": ("a.pdf", pdf())})
    assert problem(answer)["status"] == 401


async def test_a_body_that_is_no_form_is_415_and_one_without_a_file_422(http: httpx.AsyncClient, desk: Desk) -> None:
    no_form = await http.post("/ecg/reports/upload", json={}, headers=desk.user.headers)
    no_file = await http.post("/ecg/reports/upload", files={"other": ("a", b"1")}, headers=desk.user.headers)
    assert (problem(no_form)["status"], problem(no_file)["status"]) == (415, 422)
    assert "in the field `file`" in no_file.json()["detail"]


async def test_a_file_over_the_limit_is_413_and_one_at_the_limit_is_taken(settings: Settings, desk: Desk) -> None:
    http_settings = settings.http.model_copy(update={"max_upload_bytes": 100_000, "max_body_bytes": 1024})
    smaller = Settings()
    smaller.__dict__ |= {**settings.__dict__, "http": http_settings}
    async with serving(smaller, settings.kafka) as client:
        just = pdf().ljust(100_000, b" ")
        assert (await send(client, desk.user, just)).status_code == 201
        assert problem(await send(client, desk.user, just + b" "))["status"] == 413
        assert problem(await send(client, desk.user, b"%PDF-".ljust(2_000_000)))["status"] == 413


async def test_a_report_is_deleted_by_its_owner_with_its_file(
    frail: httpx.AsyncClient, desk: Desk, store: UnreliableObjects
) -> None:
    data = pdf()
    report_id = (await send(frail, desk.user, data)).json()["report_id"]
    gone = await frail.delete(f"/ecg/reports/{report_id}", headers=desk.user.headers)
    assert gone.status_code == 204
    assert list(store._folder.rglob("*.pdf")) == []
    assert await desk.value("SELECT deleted_at IS NOT NULL FROM ecg_reports WHERE report_id = %s", UUID(report_id))
    assert (await frail.delete(f"/ecg/reports/{report_id}", headers=desk.user.headers)).status_code == 404
    assert await desk.audited(report_id) == ["report.upload", "report.delete"]
    assert (await send(frail, desk.user, data)).json()["report_id"] != report_id


async def test_an_object_that_the_store_keeps_is_removed_when_it_is_back(
    frail: httpx.AsyncClient, desk: Desk, store: UnreliableObjects
) -> None:
    key = (await send(frail, desk.user, pdf())).json()["file_path_s3"]
    store.is_away = True
    report_id = key.rpartition("/")[2].removesuffix(".pdf")
    assert (await frail.delete(f"/ecg/reports/{report_id}", headers=desk.user.headers)).status_code == 204
    waiting = "SELECT tries FROM object_removals WHERE key = %s"
    assert await desk.value(waiting, key) == 1
    store.is_away = False
    async with desk.database.transaction() as conn:
        await conn.execute("UPDATE object_removals SET tried_at = tried_at - interval '2 hours' WHERE key = %s", [key])
    other = (await send(frail, desk.user, pdf())).json()["report_id"]
    await frail.delete(f"/ecg/reports/{other}", headers=desk.user.headers)
    assert await desk.value(waiting, key) is None
    assert list(store._folder.rglob("*.pdf")) == []


async def test_a_doctor_may_not_delete_what_they_may_read(
    http: httpx.AsyncClient, desk: Desk, newcomer: Person
) -> None:
    report_id = (await send(http, newcomer, pdf())).json()["report_id"]
    assert (await http.delete(f"/ecg/reports/{report_id}", headers=desk.doctor.headers)).status_code == 404
    async with desk.database.transaction() as conn:
        ids = [desk.doctor.user_id, newcomer.user_id]
        await conn.execute("INSERT INTO care_assignments (doctor_id, patient_id) VALUES (%s, %s)", ids)
    assert (await http.delete(f"/ecg/reports/{report_id}", headers=desk.doctor.headers)).status_code == 403
    assert (await http.delete(f"/ecg/reports/{report_id}", headers=desk.user.headers)).status_code == 404


async def test_an_admin_deletes_anyones_report(http: httpx.AsyncClient, desk: Desk, newcomer: Person) -> None:
    report_id = (await send(http, newcomer, pdf())).json()["report_id"]
    path = f"/admin/reports/{report_id}"
    refused = [(await http.delete(path, headers=who.headers)).status_code for who in (newcomer, desk.doctor)]
    assert refused == [403, 403]
    assert [(await http.delete(path, headers=desk.admin.headers)).status_code for _ in range(2)] == [204, 404]


async def test_two_who_sweep_take_different_objects(desk: Desk) -> None:
    at = clock.now()
    async with desk.database.transaction() as conn:
        for key in ("sweep/1", "sweep/2"):
            await object_removals.add(conn, key)
    async with desk.database.transaction() as one, desk.database.transaction() as other:
        [first] = await object_removals.take(one, at, 1)
        [second] = await object_removals.take(other, at, 1)
        await object_removals.done(one, first)
        await object_removals.done(other, second)
    assert {first, second} == {"sweep/1", "sweep/2"}
