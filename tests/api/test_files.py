"""Files are downloaded whole or in part, under the type they are of, and listed whatever table they are in."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from uuid import UUID, uuid4

import httpx
import pytest

from schemas import clock
from schemas.files import CONTENT_TYPES, FileType, UploadedFile
from schemas.settings import Settings
from storage import cloud_files, report_uploads, reports
from storage.access import everything
from storage.object_keys import cloud_file_key
from storage.objects import objects
from storage.report_uploads import ReportFigures
from tests.api.ward import Ward

pytestmark = pytest.mark.embedded
API = "/api/v1"
DATA = b"t,mv\n" + b"0.004,-0.125\n" * 60_000


@dataclass(frozen=True, slots=True)
class Shelf:
    """A CSV that was uploaded as bob's report, and one of bob's files."""

    report_id: UUID
    file_id: UUID
    sha256: str


@pytest.fixture(scope="module")
async def shelf(ward: Ward, settings: Settings) -> AsyncIterator[Shelf]:
    store, bob, at = objects(settings.objects, settings.security, settings.http), ward.bob.user.user_id, clock.now()
    digest = hashlib.sha256(DATA).digest()
    kind: FileType = "csv"
    file = UploadedFile(bob, bob, "strip.csv", kind, len(DATA), digest)
    file_key = cloud_file_key(bob, uuid4(), kind)
    async with ward.database.transaction() as conn:
        report = await report_uploads.claim(conn, uuid4(), file, ReportFigures(), at)
        other = await cloud_files.claim(conn, uuid4(), "file", file_key, file, at)
        await report_uploads.finish(conn, report.row_id, store.service, "", at)
        await cloud_files.finish(conn, other.row_id, store.service, "", at)
    for key in (report.key, other.key):
        await store.put(key, DATA, CONTENT_TYPES[kind])
    yield Shelf(report.row_id, other.row_id, digest.hex())
    async with ward.database.transaction() as conn:  # the other modules know of one report only
        await reports.delete_report(conn, everything(), report.row_id, at)
        await cloud_files.delete_file(conn, other.row_id, at)


@pytest.fixture
def path(shelf: Shelf) -> str:
    return f"{API}/ecg/reports/{shelf.report_id}/download"


async def test_a_file_downloads_as_what_it_is(client: httpx.AsyncClient, ward: Ward, shelf: Shelf, path: str) -> None:
    answer = await client.get(path, headers=ward.bob.headers)
    assert (answer.status_code, answer.content) == (200, DATA)
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-length"] == str(len(DATA))
    assert (answer.headers["etag"], answer.headers["accept-ranges"]) == (f'"{shelf.sha256}"', "bytes")
    assert 'filename="strip.csv"' in answer.headers["content-disposition"]


async def test_what_one_has_already_is_not_sent_again(
    client: httpx.AsyncClient, ward: Ward, shelf: Shelf, path: str
) -> None:
    answer = await client.get(path, headers={**ward.bob.headers, "If-None-Match": f'W/"x", "{shelf.sha256}"'})
    assert (answer.status_code, answer.content) == (304, b"")


@pytest.mark.parametrize(
    ("asked", "first", "end"),
    [("bytes=0-0", 0, 1), ("bytes=5-17", 5, 18), ("bytes=700000-", 700_000, None), ("bytes=-7", -7, None),
     ("bytes=0-99999999", 0, None), ("bytes=-99999999", 0, None), ("bytes=100-300100", 100, 300_101)],
)  # fmt: skip
async def test_one_range_is_206(
    client: httpx.AsyncClient, ward: Ward, path: str, asked: str, first: int, end: int | None
) -> None:
    answer = await client.get(path, headers={**ward.bob.headers, "Range": asked})
    start = first % len(DATA) if first else 0
    assert (answer.status_code, answer.content) == (206, DATA[first:end])
    assert answer.headers["content-range"] == f"bytes {start}-{start + len(answer.content) - 1}/{len(DATA)}"
    assert answer.headers["content-length"] == str(len(answer.content))


@pytest.mark.parametrize("asked", [f"bytes={len(DATA)}-", "bytes=9999999-99999999", "bytes=-0"])
async def test_a_range_that_is_not_there_is_416(client: httpx.AsyncClient, ward: Ward, path: str, asked: str) -> None:
    answer = await client.get(path, headers={**ward.bob.headers, "Range": asked})
    assert (answer.status_code, answer.headers["content-range"]) == (416, f"bytes */{len(DATA)}")
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("asked", ["bytes=5-1", "bytes=0-1,5-9", "lines=0-1", "bytes=a-b", "bytes=", "bytes=-"])
async def test_a_range_that_cant_be_read_is_passed_over(
    client: httpx.AsyncClient, ward: Ward, path: str, asked: str
) -> None:
    answer = await client.get(path, headers={**ward.bob.headers, "Range": asked})
    assert (answer.status_code, len(answer.content)) == (200, len(DATA))


async def test_a_range_of_another_version_is_the_whole_file(
    client: httpx.AsyncClient, ward: Ward, shelf: Shelf, path: str
) -> None:
    for etag, status in ((f'"{shelf.sha256}"', 206), ('"old"', 200)):
        answer = await client.get(path, headers={**ward.bob.headers, "Range": "bytes=0-1", "If-Range": etag})
        assert answer.status_code == status


async def test_head_tells_of_a_file_without_it(client: httpx.AsyncClient, ward: Ward, path: str) -> None:
    answer = await client.head(path, headers=ward.bob.headers)
    assert (answer.status_code, answer.content, answer.headers["content-length"]) == (200, b"", str(len(DATA)))


async def test_a_signed_link_serves_ranges_too(client: httpx.AsyncClient, ward: Ward, shelf: Shelf) -> None:
    link = await client.get(f"{API}/cloud/files/{shelf.file_id}/url?expires_s=60", headers=ward.bob.headers)
    answer = await client.get(link.json()["url"], headers={"Range": "bytes=0-3"})
    assert (answer.status_code, answer.content) == (206, DATA[:4])
    assert answer.headers["content-type"].startswith("text/csv")


async def test_files_and_reports_are_listed_together(client: httpx.AsyncClient, ward: Ward, shelf: Shelf) -> None:
    answer = await client.get(f"{API}/cloud/files", headers=ward.bob.headers)
    told = {(item["kind"], item["file_id"]) for item in answer.json()["items"]}
    assert told == {("report", str(shelf.report_id)), ("file", str(shelf.file_id))}
    assert answer.json()["total"] == 2


@pytest.mark.parametrize(("asked", "count"), [("kind=report", 1), ("kind=file", 1), ("kind=user_signup", 0)])
async def test_files_are_filtered_by_kind_and_user(
    client: httpx.AsyncClient, ward: Ward, shelf: Shelf, asked: str, count: int
) -> None:
    path = f"{API}/cloud/files?user_id={ward.bob.user.user_id}&{asked}"
    answer = await client.get(path, headers=ward.root.headers)
    assert (answer.json()["total"], bool(shelf)) == (count, True)


async def test_other_peoples_files_do_not_exist(client: httpx.AsyncClient, ward: Ward, shelf: Shelf) -> None:
    for file_id in (shelf.file_id, shelf.report_id):
        statuses = [
            (await client.get(f"{API}/cloud/files/{file_id}/url", headers=who.headers)).status_code
            for who in (ward.bob, ward.root, ward.ada, ward.doc)
        ]
        assert statuses == [200, 200, 404, 404]
    listed = await client.get(f"{API}/cloud/files", headers=ward.ada.headers)
    assert {item["file_id"] for item in listed.json()["items"]} == {str(ward.report_id)}


async def test_a_deleted_report_is_in_no_list_and_at_no_path(client: httpx.AsyncClient, ward: Ward) -> None:
    at = clock.now()
    async with ward.database.transaction() as conn:
        gone = uuid4()
        device = ward.bobs_device
        await reports.request_report(conn, gone, device.device_id, device.user_id, "x.pdf", None, None, None, at)
        await reports.delete_report(conn, everything(), gone, at)
    for path in (f"ecg/reports/{gone}", f"ecg/reports/{gone}/download", f"ecg/reports/{gone}/url"):
        assert (await client.get(f"{API}/{path}", headers=ward.root.headers)).status_code == 404
    for path in ("ecg/reports", f"users/{device.user_id}/reports", f"devices/{device.device_id}/reports"):
        assert str(gone) not in (await client.get(f"{API}/{path}", headers=ward.bob.headers)).text
