"""Admins see everybody and everything in numbers; nobody else learns that these routes have anything."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import uuid4

import httpx
import pytest
from pydantic import TypeAdapter

from api.cached import CachedAnswers
from schemas import clock
from schemas.accounts import User
from schemas.errors import Busy
from schemas.rhythms import NORMAL
from storage import account_changes, accounts, devices
from storage.accounts import NewUser
from storage.cache import MemoryCache
from storage.devices import NewDevice
from tests.api.ward import PDF, Ward

pytestmark = pytest.mark.embedded

API = "/api/v1"
ROUTES = (
    "admin/stats", "admin/stats/users", "admin/stats/devices", "admin/stats/reports", "admin/users",
    "admin/users/{ada}", "admin/reports", "admin/reports/{report}", "admin/analytics/overview",
    "admin/analytics/users", "admin/analytics/reports", "admin/analytics/devices",
)  # fmt: skip


async def _told(client: httpx.AsyncClient, ward: Ward, path: str, **query: Any) -> dict[str, Any]:
    answer = await client.get(f"{API}/admin/{path}", params=query, headers=ward.root.headers)
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


async def _gone(ward: Ward) -> User:
    """Somebody with a device, deleted."""
    async with ward.database.transaction() as conn:
        user = await accounts.create_user(conn, NewUser(f"gone-{uuid4().hex[:8]}", "$argon2id$none"))
        await devices.register(conn, NewDevice(user.user_id), uuid4().bytes)
        await account_changes.delete_user(conn, user.user_id, clock.now())
    return user


@pytest.mark.parametrize("path", ROUTES)
@pytest.mark.parametrize(("caller", "status"), [("ada", 403), ("doc", 403), ("root", 200), (None, 401)])
async def test_only_admins_come_in(
    client: httpx.AsyncClient, ward: Ward, path: str, caller: str | None, status: int
) -> None:
    named = path.format(ada=ward.ada.user.user_id, report=ward.report_id)
    headers = {} if caller is None else ward.by_name(caller).headers
    assert (await client.get(f"{API}/{named}", headers=headers)).status_code == status


async def test_statistics_agree_and_tell_of_when_they_are(client: httpx.AsyncClient, ward: Ward) -> None:
    told = await _told(client, ward, "stats")
    roles = {share["name"]: share["count"] for share in told["users"]["by_role"]}
    assert sum(roles.values()) == told["users"]["total"] >= 4
    assert told["devices"]["by_type"][0]["name"] == "ecg"
    assert {share["name"] for share in told["reports"]["by_status"]} == {"pending", "uploaded"}
    assert told["reports"]["bytes"] == len(PDF)
    for part in ("users", "devices", "reports"):
        assert await _told(client, ward, f"stats/{part}") == {"as_of": told["as_of"], part: told[part]}


async def test_the_overview_counts_what_was_recorded(client: httpx.AsyncClient, ward: Ward) -> None:
    told = await _told(client, ward, "analytics/overview", step="hour")
    assert (told["recorded"]["users"], told["recorded"]["devices"]) == (1, 1)
    assert told["recorded"]["hours"] == pytest.approx(200 / 3600)
    assert told["labels"] == [{"label": NORMAL, "hours": pytest.approx(200 / 3600)}]
    assert sum(point["beats"] for point in told["beats"]) == 240
    assert {point["heart_rate_mean"] for point in told["activity"]} == {72.0}
    in_band = [band for band in told["heart_rates"] if band["hours"]]
    assert [(band["from_bpm"], band["to_bpm"]) for band in in_band] == [(70, 80)]
    assert sum(point["uploaded"] for point in told["reports"]) == 1


@pytest.mark.parametrize("step", ["hour", "day"])
async def test_analytics_of_users_devices_and_reports_add_up(client: httpx.AsyncClient, ward: Ward, step: str) -> None:
    users = await _told(client, ward, "analytics/users", step=step)
    assert sum(point["new_users"] for point in users["points"]) >= 4
    assert users["most_recorded"][0]["username"] == "ada"
    found = await _told(client, ward, "analytics/devices", step=step)
    assert sum(point["recorded_hours"] for point in found["points"]) == pytest.approx(found["recorded"]["hours"])
    assert sum(point["new_devices"] for point in found["points"]) >= 3
    reports = await _told(client, ward, "analytics/reports", step=step)
    assert sum(share["count"] for share in reports["by_status"]) == sum(p["reports"] for p in reports["points"])


@pytest.mark.parametrize(
    "query",
    [
        {"start": "2026-02-01T00:00:00Z", "end": "2026-01-01T00:00:00Z"},
        {"start": "2025-01-01T00:00:00Z", "end": "2026-06-01T00:00:00Z"},
        {"start": "2026-01-01T00:00:00Z", "end": "2026-01-09T00:00:00Z", "step": "hour"},
        {"step": "minute"},
    ],
)
async def test_a_period_that_is_none_or_too_long_is_422(
    client: httpx.AsyncClient, ward: Ward, query: dict[str, str]
) -> None:
    answer = await client.get(f"{API}/admin/analytics/overview", params=query, headers=ward.root.headers)
    assert answer.status_code == 422


async def test_a_period_in_the_past_has_no_points(client: httpx.AsyncClient, ward: Ward) -> None:
    period = {"start": "2001-01-01T00:00:00Z", "end": "2001-02-01T00:00:00Z"}
    told = await _told(client, ward, "analytics/overview", **period)
    assert (told["recorded"], told["activity"], told["users"]) == ({"users": 0, "devices": 0, "hours": 0.0}, [], [])


async def test_users_are_found_by_role_text_and_state(client: httpx.AsyncClient, ward: Ward) -> None:
    async def names(**query: Any) -> list[str]:
        return [user["username"] for user in (await _told(client, ward, "users", **query))["items"]]

    assert await names(role="doctor") == ["doc"]
    assert await names(q="DA EXAM") == ["ada"]
    assert await names(q="_") == []
    assert await names(q="ada", is_active=False) == []
    gone = await _gone(ward)
    assert await names(q=gone.username) == []
    assert await names(q=gone.username, deleted=True) == [gone.username]


async def test_a_user_comes_with_all_their_data(client: httpx.AsyncClient, ward: Ward) -> None:
    told = await _told(client, ward, f"users/{ward.ada.user.user_id}")
    assert (told["user"]["username"], told["open_sessions"], told["reports_total"]) == ("ada", 1, 2)
    assert {device["device_name"] for device in told["devices"]} == {"H1", "H3"}
    assert [row["heart_rate"] for row in told["latest_metrics"]] == [72]
    assert [doctor["username"] for doctor in told["doctors"]] == ["doc"]
    assert "argon2" not in str(told)
    doctor = await _told(client, ward, f"users/{ward.doc.user.user_id}")
    assert [patient["username"] for patient in doctor["patients"]] == ["ada"]


async def test_who_was_deleted_is_there_for_admins_alone(client: httpx.AsyncClient, ward: Ward) -> None:
    gone = await _gone(ward)
    told = await _told(client, ward, f"users/{gone.user_id}")
    assert told["user"]["deleted_at"] is not None
    assert [device["is_active"] for device in told["devices"]] == [False]
    for path in (f"users/{gone.user_id}", f"users/{gone.user_id}/devices", f"users/{gone.user_id}/metrics"):
        assert (await client.get(f"{API}/{path}", headers=ward.root.headers)).status_code == 404
    missing = await client.get(f"{API}/admin/users/{uuid4()}", headers=ward.root.headers)
    assert missing.json()["detail"].endswith("list them with GET admin/users")


async def test_reports_come_with_a_link_that_opens(client: httpx.AsyncClient, ward: Ward) -> None:
    items = (await _told(client, ward, "reports", user_id=str(ward.ada.user.user_id)))["items"]
    links = {item["report_id"]: item["url"] for item in items}
    assert links[str(ward.pending_report_id)] is None
    assert (await client.get(links[str(ward.report_id)])).content == PDF
    [pending] = (await _told(client, ward, "reports", upload_status="pending"))["items"]
    assert pending["report_id"] == str(ward.pending_report_id)
    assert (await _told(client, ward, "reports", cloud_service="gcs"))["items"] == []
    one = await _told(client, ward, f"reports/{ward.report_id}")
    assert (await client.get(one["url"])).content == PDF


async def test_an_answer_is_made_once_and_anew_when_it_can_not_be_read() -> None:
    made: list[int] = []
    cache, kind = MemoryCache(), TypeAdapter(list[int])
    answers = CachedAnswers(cache)

    async def make() -> list[int]:
        made.append(len(made))
        return list(made)

    assert await asyncio.gather(*(answers.get("k", kind, make) for _ in range(5))) == [[0]] * 5
    assert await answers.get("k", kind, make) == [0]
    await cache.set("k", b'"of another version"', 60)
    assert await answers.get("k", kind, make) == [0, 1]


async def test_a_failure_is_everybodys_and_is_not_kept() -> None:
    answers, kind, failures = CachedAnswers(MemoryCache()), TypeAdapter(int), [Busy("away; wait")]

    async def make() -> int:
        await asyncio.sleep(0)
        if failures:
            raise failures.pop()
        return 7

    told = await asyncio.gather(*(answers.get("k", kind, make) for _ in range(3)), return_exceptions=True)
    assert [str(one) for one in told] == ["away; wait"] * 3
    assert await answers.get("k", kind, make) == 7
