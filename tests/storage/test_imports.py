"""The old system's files become rows and objects, once, and a bad entry stops no other."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pytest
from pydantic import SecretStr

from leadwire.import_fields import entry_of
from leadwire.import_files import find
from leadwire.import_report import ImportReport
from leadwire.import_rows import user_of
from leadwire.importing import Importer
from schemas.errors import Busy, NotFound
from schemas.pages import PageRequest
from storage import accounts, reports
from storage.access import everything
from storage.audit import AuditFilter, list_entries
from storage.audit_chain import verify
from storage.database import Database
from storage.objects_local import LocalObjects
from tests.storage.made import HASH, a_user


class OldFolder:
    """A data folder as the old desktop app left it, of people nobody else has."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.ada, self.bob = folder, f"ada-{uuid4()}", f"bob-{uuid4()}"
        (folder / "reports").mkdir()
        self.write("users.json", {
            self.ada: {"password": "secret", "fullName": "Ada Example", "age": "61", "serial_id": f"SN-{self.ada}"},
            self.bob: {"password_hash": HASH, "email": f"{self.bob}@example.org", "role": "doctor", "age": "old"},
            "": {"password": "x"},
        })  # fmt: skip
        self.write("upload_log.json", [
            {"filename": "r1.pdf", "username": self.ada, "status": "success", "timestamp": "2024-04-03 12:30:00"},
            {"filename": "r2.pdf"}, 17,
        ])  # fmt: skip
        self.write("reports/r1.json", {"user": self.ada, "HR": 72, "Date": "2024-04-03 12:30:00"})
        self.write("reports/r2.json", {"machine_serial": f"SN-{self.ada}", "filename": "../../etc/passwd"})
        (folder / "reports" / "broken.json").write_text("{")
        (folder / "reports" / "r1.pdf").write_bytes(b"%PDF old")

    def write(self, name: str, document: object) -> None:
        (self.folder / name).write_text(json.dumps(document))


@pytest.fixture
def old(tmp_path: Path) -> OldFolder:
    (tmp_path / "old").mkdir()
    return OldFolder(tmp_path / "old")


@pytest.fixture
def store(tmp_path: Path) -> LocalObjects:
    return LocalObjects(tmp_path / "objects", SecretStr("x" * 32), "http://localhost")


async def run(database: Database, store: LocalObjects, old: OldFolder, *, dry_run: bool = False) -> ImportReport:
    importer = Importer(database, store, old.folder, HASH, set(), dry_run)
    return ImportReport([await importer.take(found) for found in find(old.folder, UTC)], dry_run)


def counts(report: ImportReport, state: str) -> Sequence[int]:
    return [report.count(kind, state) for kind in ("user", "upload", "report")]  # type: ignore[arg-type]  # a state


async def rows(database: Database) -> list[tuple[str]]:
    async with database.transaction() as conn:
        cursor = await conn.execute("""
            SELECT u::text FROM users AS u UNION ALL SELECT l::text FROM upload_logs AS l
            UNION ALL SELECT r::text FROM ecg_reports AS r ORDER BY 1
        """)
        return await cursor.fetchall()


async def test_good_entries_come_in_and_bad_ones_say_why(
    database: Database, store: LocalObjects, old: OldFolder
) -> None:
    report = await run(database, store, old)
    assert (counts(report, "imported"), counts(report, "skipped")) == ([2, 1, 2], [1, 2, 1])
    reasons = {one.place: one.why for one in report.outcomes if one.state == "skipped"}
    assert set(reasons) == {"users.json.", "upload_log.json[1]", "upload_log.json[2]", "broken.json"}
    assert all(reasons.values())


async def test_the_rows_are_what_the_files_say(database: Database, store: LocalObjects, old: OldFolder) -> None:
    await run(database, store, old)
    ada_id = user_of(entry_of({"username": old.ada})).user_id
    async with database.transaction() as conn:
        ada = await accounts.user(conn, everything(), ada_id)
        page = await reports.list_reports(conn, everything(), PageRequest(), ada_id)
        bob = await accounts.credentials(conn, old.bob)
        lines = (await list_entries(conn, AuditFilter(ada_id), PageRequest())).items
    assert (ada.full_name, ada.age, ada.role) == ("Ada Example", 61, "user")
    assert bob is not None
    assert (bob.password_hash, bob.user.role, bob.user.age) == (HASH, "doctor", None)
    by_name = {report.filename: report for report in page.items}
    assert (by_name["r1.pdf"].heart_rate, by_name["r1.pdf"].report_date) == (
        72,
        datetime(2024, 4, 3, 12, 30, tzinfo=UTC),
    )
    assert await store.get(by_name["r1.pdf"].file_path_s3 or "") == b"%PDF old"
    assert (by_name["passwd"].upload_status, by_name["passwd"].file_path_s3) == ("failed", None)
    assert {line.action for line in lines} == {"user.import", "upload_log.import", "report.import"}
    assert (await verify(database)).problem is None


async def test_the_same_import_twice_gives_the_same_rows(
    database: Database, store: LocalObjects, old: OldFolder
) -> None:
    await run(database, store, old)
    before = await rows(database)
    again = await run(database, store, old)
    assert (counts(again, "imported"), counts(again, "there")) == ([0, 0, 0], [2, 1, 2])
    assert await rows(database) == before


async def test_a_dry_run_says_the_same_and_writes_nothing(
    database: Database, store: LocalObjects, old: OldFolder
) -> None:
    before = await rows(database)
    tried = await run(database, store, old, dry_run=True)
    assert await rows(database) == before
    done = await run(database, store, old)
    assert [(one.place, one.state) for one in tried.outcomes] == [(one.place, one.state) for one in done.outcomes]
    assert "nothing was written" in tried.as_text()


async def test_who_is_here_already_stays_as_they_are_and_gets_their_reports(
    database: Database, store: LocalObjects, old: OldFolder
) -> None:
    async with database.transaction() as conn:
        here = await a_user(conn)
    old.write("users.json", [{"username": here.username.upper(), "age": 3}])
    old.write("reports/r1.json", {"user": here.username, "HR": 72})
    report = await run(database, store, old)
    assert report.outcomes[0].why == "a user of this name is here, and stays as it is"
    async with database.transaction() as conn:
        assert await accounts.user(conn, everything(), here.user_id) == here
        assert (await reports.list_reports(conn, everything(), PageRequest(), here.user_id)).total == 1


async def test_an_email_of_somebody_else_is_left_out(database: Database, store: LocalObjects, old: OldFolder) -> None:
    await run(database, store, old)
    old.write("users.json", [{"username": f"{old.bob[:40]}-2", "email": f"{old.bob}@EXAMPLE.org"}])
    report = await run(database, store, old)
    assert report.outcomes[0].state == "imported"
    assert "email is another user's and was left out" in report.outcomes[0].notes


class StoreThatIsAway(LocalObjects):
    """Takes no file."""

    async def put(self, key: str, data: bytes, content_type: str) -> None:
        raise Busy("the store is away; wait")


async def test_after_an_outage_it_goes_on(
    database: Database, store: LocalObjects, old: OldFolder, tmp_path: Path
) -> None:
    with pytest.raises(Busy):
        await run(database, StoreThatIsAway(tmp_path, SecretStr("x" * 32), ""), old)
    done = await run(database, store, old)
    assert (counts(done, "imported"), counts(done, "there")) == ([0, 0, 2], [2, 1, 0])


async def test_nasty_text_is_kept_as_far_as_a_database_can(
    database: Database, store: LocalObjects, old: OldFolder
) -> None:
    nasty = f"{old.ada[:30]}\0\ud800"
    old.write("users.json", [{"username": nasty, "full_name": "\0\x07é" * 200, "age": 1e300, "created_at": -1e308}])
    report = await run(database, store, old)
    assert (report.outcomes[0].state, report.outcomes[0].name) == ("imported", f"{old.ada[:30]}?")


def test_a_folder_without_such_files_is_told(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="holds none of"):
        find(tmp_path, UTC)
