"""Operators' commands, against the servers of the ward."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pytest
from typer.testing import CliRunner, Result

from leadwire.cli import app
from schemas.errors import LeadwireError, Malformed, NotFound
from schemas.settings import Settings
from storage.audit import append
from storage.database import Database, writer
from tests.storage.made import HASH, a_user


async def leadwire(*arguments: str) -> Result:
    """The command, in a thread: the api goes on meanwhile, and gives its locks back. What it raises is raised here."""
    result = await asyncio.to_thread(CliRunner().invoke, app, [*arguments])
    if isinstance(result.exception, LeadwireError):
        raise result.exception
    return result


async def made_user(settings: Settings) -> str:
    database: Database = writer(settings.database)
    await database.open()
    async with database.transaction() as conn:
        user = await a_user(conn)
        at = datetime(2026, 1, 1, tzinfo=UTC)
        await append(conn, "test", "user.create", str(user.user_id), "::1", at, patient_id=user.user_id)
    await database.close()
    return str(user.user_id)


@pytest.fixture
async def user_id(settings: Settings) -> str:
    return await made_user(settings)


async def test_verify_tells_a_head_that_it_proves_later(user_id: str) -> None:
    first = json.loads((await leadwire("audit", "verify", "--json")).stdout)
    assert (first["whole"], first["problem"], user_id != "") == (True, None, True)
    assert (await leadwire("audit", "verify", "--head", first["head"])).exit_code == 0


async def test_verify_ends_with_1_when_a_noted_head_is_not_there(user_id: str) -> None:
    result = await leadwire("audit", "verify", "--head", f"999999999:{'ab' * 32}")
    assert result.exit_code == 1
    assert "BROKEN: entry" in result.stdout
    assert user_id not in result.stdout


async def test_what_is_no_head_is_refused() -> None:
    with pytest.raises(Malformed, match="ENTRY:HASH"):
        await leadwire("audit", "verify", "--head", "7")


async def test_list_finds_a_patients_lines_as_a_table_and_as_json(user_id: str) -> None:
    table = (
        await leadwire("audit", "list", "--patient", user_id, "--actor", "test", "--since", "2025-12-31T00:00:00")
    ).stdout
    assert [line.split()[3] for line in table.splitlines()[1:-1]] == ["user.create"]
    told = (await leadwire("audit", "list", "--patient", user_id, "--json")).stdout.splitlines()
    assert [json.loads(line)["subject"] for line in told] == [user_id]


async def test_erase_asks_where_somebody_can_answer_and_erases_with_yes(user_id: str) -> None:
    with pytest.raises(Malformed, match="add --yes"):
        await leadwire("user", "erase", user_id)
    done = json.loads((await leadwire("user", "erase", user_id, "--yes", "--json")).stdout)
    assert (done["user_id"], done["rows"]) == (user_id, {"generations": 1, "users": 1})
    with pytest.raises(NotFound):
        await leadwire("user", "erase", user_id, "--yes")


async def test_import_json_tells_what_it_did_and_writes_a_report(settings: Settings, tmp_path: Path) -> None:
    name = f"old-{uuid4()}"
    (tmp_path / "users.json").write_text(json.dumps({name: {"password_hash": HASH, "created_at": "2024-01-01 12:00"}}))
    report = tmp_path / "report.json"
    tried = json.loads((await leadwire("import-json", str(tmp_path), "--dry-run", "--json")).stdout)
    assert (tried["dry_run"], tried["counts"]["user"]["imported"]) == (True, 1)
    done = await leadwire("import-json", str(tmp_path), "--timezone", "Europe/Berlin", "--report", str(report))
    assert "user               1" in done.stdout
    assert json.loads(report.read_text())["entries"][0]["name"] == name
    again = json.loads((await leadwire("import-json", str(tmp_path), "--json")).stdout)
    assert again["counts"]["user"] == {"imported": 0, "there": 1, "skipped": 0}
    assert settings


async def test_a_zone_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Malformed, match="Europe/Berlin"):
        await leadwire("import-json", str(tmp_path), "--timezone", "Mars/Olympus")
