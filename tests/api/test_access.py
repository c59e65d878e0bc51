"""Everyone sees their own, a doctor their patients', an admin all; what isn't yours doesn't exist."""

from __future__ import annotations

from uuid import uuid4

import httpx
import pytest
from psycopg import Error

from schemas import clock
from schemas.settings import Settings
from storage import sessions
from storage.database import reader
from tests.api.ward import Ward

pytestmark = pytest.mark.embedded

API = "/api/v1"
ADAS = (
    "users/{ada}", "users/{ada}/devices", "users/{ada}/reports", "users/{ada}/metrics", "devices/{device}",
    "devices/{device}/reports", "ecg/metrics/{metric}", "ecg/recordings/{recording}",
    "ecg/samples?recording_id={recording}&end_index=10", "ecg/reports/{report}", "ecg/reports/{report}/download",
    "ecg/reports/{report}/url", "ecg/alarms/{alarm}", "users/{ada}/alarm-limits",
)  # fmt: skip
LISTS = (
    "devices", "ecg/reports", "ecg/metrics", "ecg/metrics/latest", "devices/live", "ecg/beats?device_id={device}",
    "ecg/rhythms?device_id={device}", "ecg/recordings?device_id={device}", "ecg/alarms",
)  # fmt: skip


@pytest.fixture
async def names(client: httpx.AsyncClient, ward: Ward) -> dict[str, object]:
    latest = await client.get(f"{API}/ecg/metrics/latest", headers=ward.ada.headers)
    return {
        "ada": ward.ada.user.user_id,
        "device": ward.device.device_id,
        "recording": ward.recording.recording_id,
        "report": ward.report_id,
        "alarm": ward.alarm.alarm_id,
        "metric": latest.json()["items"][0]["metric_id"],
    }


@pytest.mark.parametrize("path", ADAS)
@pytest.mark.parametrize(("caller", "status"), [("ada", 200), ("doc", 200), ("root", 200), ("bob", 404)])
async def test_adas_things_are_for_her_her_doctor_and_admins(
    client: httpx.AsyncClient, ward: Ward, names: dict[str, object], path: str, caller: str, status: int
) -> None:
    answer = await client.get(f"{API}/{path.format(**names)}", headers=ward.by_name(caller).headers)
    assert answer.status_code == status, answer.text


@pytest.mark.parametrize("path", LISTS)
async def test_lists_leave_out_what_is_not_yours(
    client: httpx.AsyncClient, ward: Ward, names: dict[str, object], path: str
) -> None:
    adas = (await client.get(f"{API}/{path.format(**names)}", headers=ward.ada.headers)).json()["items"]
    bobs = (await client.get(f"{API}/{path.format(**names)}", headers=ward.bob.headers)).json()["items"]
    assert adas
    assert not {str(item) for item in bobs} & {str(item) for item in adas}


@pytest.mark.parametrize("path", [*ADAS, *LISTS, "auth/me", "users"])
async def test_nothing_is_for_strangers(client: httpx.AsyncClient, names: dict[str, object], path: str) -> None:
    answer = await client.get(f"{API}/{path.format(**names)}")
    assert answer.status_code == 401
    assert answer.json()["detail"].startswith("no access token; log in")


@pytest.mark.parametrize(("caller", "status"), [("ada", 403), ("doc", 403), ("root", 200)])
async def test_only_admins_list_users(client: httpx.AsyncClient, ward: Ward, caller: str, status: int) -> None:
    answer = await client.get(f"{API}/users", headers=ward.by_name(caller).headers)
    assert answer.status_code == status
    assert "argon2" not in answer.text


async def test_me_is_the_caller(client: httpx.AsyncClient, ward: Ward) -> None:
    answer = await client.get(f"{API}/auth/me", headers=ward.doc.headers)
    assert (answer.json()["username"], answer.json()["role"]) == ("doc", "doctor")


async def test_a_closed_session_ends_its_token(client: httpx.AsyncClient, ward: Ward) -> None:
    session_id = uuid4()
    async with ward.database.transaction() as conn:
        await sessions.open_session(conn, session_id, ward.bob.user.user_id, b"x", None, None, clock.now())
    answer = await client.get(f"{API}/auth/me", headers=ward.bob.headers)
    assert answer.status_code == 200
    async with ward.database.transaction() as conn:
        await conn.execute("UPDATE user_sessions SET closed_at = now() WHERE session_id = %s", [ward.bob.session_id])
    answer = await client.get(f"{API}/auth/me", headers=ward.bob.headers)
    async with ward.database.transaction() as conn:
        await conn.execute("UPDATE user_sessions SET closed_at = NULL WHERE session_id = %s", [ward.bob.session_id])
    assert answer.status_code == 401
    assert answer.json()["detail"] == "this session is closed; log in again with POST auth/login"


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM ecg_beats",
        "UPDATE users SET role = 'admin'",
        "CREATE TABLE t (i int)",
        "SELECT password_hash FROM users",
    ],
)
async def test_the_api_s_role_can_only_select_what_it_serves(settings: Settings, statement: str) -> None:
    database = reader(settings.database)
    await database.open()
    try:
        with pytest.raises(Error, match=r"read-only|permission denied"):
            async with database.transaction() as conn:
                await conn.execute(statement)
    finally:
        await database.close()
