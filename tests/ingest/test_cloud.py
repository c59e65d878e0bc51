"""cloud/upload and users/{id}/signup: other files come to rest in the object store, once each."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from schemas.settings import Settings
from tests.ingest.desk import Desk, Person, problem
from tests.ingest.files import REFUSED, UnreliableObjects, gateway_on, pdf, send, store_of, unreliable

pytestmark = pytest.mark.embedded
UPLOAD = "/cloud/upload"


@pytest.fixture
def store(settings: Settings, tmp_path: Path) -> UnreliableObjects:
    return unreliable(settings, tmp_path / "objects")


@pytest.fixture
async def frail(settings: Settings, store: UnreliableObjects) -> AsyncIterator[httpx.AsyncClient]:
    """A gateway whose store can be away."""
    async with gateway_on(settings, store) as client:
        yield client


async def outcomes(desk: Desk, user: Person, file_type: str) -> list[str]:
    query = """
        SELECT array_agg(upload_status::text ORDER BY uploaded_at)
        FROM upload_logs
        WHERE user_id = %s AND file_type = %s
    """
    return await desk.value(query, user.user_id, file_type) or []


async def test_a_file_comes_to_rest_and_is_logged_and_audited(
    http: httpx.AsyncClient, desk: Desk, newcomer: Person, settings: Settings
) -> None:
    data = b"t,mv\n1,2\n" + uuid4().hex.encode() + b",1\n"
    answer = await send(http, newcomer, data, UPLOAD, filename="strip.csv")
    told = answer.json()
    assert (answer.status_code, told["kind"], told["file_type"]) == (201, "file", "csv")
    assert told["file_path_s3"] == f"cloud/{newcomer.user_id}/{told['file_id']}.csv"
    assert await store_of(settings).get(told["file_path_s3"]) == data
    assert await outcomes(desk, newcomer, "file") == ["success"]
    assert await desk.audited(told["file_id"]) == ["file.upload"]


async def test_the_same_file_again_is_409(http: httpx.AsyncClient, desk: Desk, newcomer: Person) -> None:
    data = pdf()
    first = (await send(http, newcomer, data, UPLOAD)).json()["file_id"]
    told = problem(await send(http, newcomer, data, UPLOAD))
    assert (told["status"], first in told["detail"]) == (409, True)
    assert await outcomes(desk, newcomer, "file") == ["success", "duplicate"]


async def test_only_an_admin_stores_what_is_of_no_known_type(http: httpx.AsyncClient, desk: Desk) -> None:
    data = REFUSED["an archive"] + uuid4().hex.encode()
    assert problem(await send(http, desk.user, data, UPLOAD))["status"] == 415
    told = (await send(http, desk.admin, data, UPLOAD, filename="all.zip")).json()
    assert (told["file_type"], told["filename"]) == ("bin", "all.zip")


async def test_a_file_for_somebody_else_is_404(http: httpx.AsyncClient, desk: Desk, newcomer: Person) -> None:
    assert problem(await send(http, newcomer, pdf(), UPLOAD, user_id=str(desk.user.user_id)))["status"] == 404
    answer = await send(http, desk.admin, pdf(), UPLOAD, user_id=str(newcomer.user_id))
    assert (answer.status_code, answer.json()["user_id"]) == (201, str(newcomer.user_id))


async def test_a_store_that_is_away_is_503_and_the_file_comes_in_later(
    frail: httpx.AsyncClient, desk: Desk, newcomer: Person, store: UnreliableObjects
) -> None:
    data, store.is_away = pdf(), True
    assert problem(await send(frail, newcomer, data, UPLOAD))["status"] == 503
    store.is_away = False
    assert (await send(frail, newcomer, data, UPLOAD)).status_code == 201
    assert await outcomes(desk, newcomer, "file") == ["failed", "success"]


async def test_a_file_is_deleted_by_its_owner_with_its_object(
    frail: httpx.AsyncClient, desk: Desk, newcomer: Person, store: UnreliableObjects
) -> None:
    file_id = (await send(frail, newcomer, pdf(), UPLOAD)).json()["file_id"]
    path = f"/cloud/files/{file_id}"
    statuses = [(await frail.delete(path, headers=who.headers)).status_code for who in (desk.user, newcomer, newcomer)]
    assert statuses == [404, 204, 404]
    assert list(store._folder.rglob("*.pdf")) == []
    assert await desk.audited(file_id) == ["file.upload", "file.delete"]


async def test_a_report_is_a_file_too_and_is_deleted_as_one(
    http: httpx.AsyncClient, desk: Desk, newcomer: Person
) -> None:
    report_id = (await send(http, newcomer, pdf())).json()["report_id"]
    assert (await http.delete(f"/cloud/files/{report_id}", headers=newcomer.headers)).status_code == 204
    assert (await http.delete(f"/ecg/reports/{report_id}", headers=newcomer.headers)).status_code == 404
    assert await desk.audited(report_id) == ["report.upload", "report.delete"]


async def test_a_signup_record_is_kept_once(
    http: httpx.AsyncClient, desk: Desk, newcomer: Person, settings: Settings
) -> None:
    path = f"/users/{newcomer.user_id}/signup"
    answers = [await http.post(path, headers=who.headers) for who in (newcomer, newcomer, desk.admin)]
    assert [answer.status_code for answer in answers] == [200, 200, 200]
    assert len({answer.json()["file_id"] for answer in answers}) == 1
    record = json.loads(await store_of(settings).get(answers[0].json()["file_path_s3"]))
    assert (record["user_id"], record["username"]) == (str(newcomer.user_id), newcomer.username)
    assert "password_hash" not in record
    assert await outcomes(desk, newcomer, "user_signup") == ["success", "duplicate", "duplicate"]


async def test_a_signup_record_is_its_users_and_admins_matter(
    http: httpx.AsyncClient, desk: Desk, newcomer: Person
) -> None:
    path = f"/users/{newcomer.user_id}/signup"
    async with desk.database.transaction() as conn:
        ids = [desk.doctor.user_id, newcomer.user_id]
        await conn.execute("INSERT INTO care_assignments (doctor_id, patient_id) VALUES (%s, %s)", ids)
    statuses = [(await http.post(path, headers=who.headers)).status_code for who in (desk.user, desk.doctor)]
    assert statuses == [404, 403]
    assert problem(await http.post(path))["status"] == 401
