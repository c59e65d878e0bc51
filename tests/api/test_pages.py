"""Lists go on behind a cursor; one that was forged is malformed, and pages that are too deep say what to do."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.api.ward import Ward

pytestmark = pytest.mark.embedded

API = "/api/v1"
LISTS = (
    "users", "devices", "ecg/metrics", "ecg/metrics/latest", "devices/live", "ecg/beats?device_id={device}",
    "ecg/beats?recording_id={recording}", "ecg/rhythms?device_id={device}", "ecg/recordings?device_id={device}",
    "ecg/alarms", "ecg/reports", "ecg/hrv?device_id={device}", "admin/users", "admin/reports", "users/{ada}/devices",
    "users/{ada}/reports", "users/{ada}/metrics", "users/{ada}/doctors", "users/{doc}/patients",
)  # fmt: skip


def _path(ward: Ward, path: str) -> str:
    ids = {"device": ward.device.device_id, "recording": ward.recording.recording_id}
    return f"{API}/{path.format(ada=ward.ada.user.user_id, doc=ward.doc.user.user_id, **ids)}"


async def _get(client: httpx.AsyncClient, ward: Ward, path: str, **query: Any) -> httpx.Response:
    url = httpx.URL(_path(ward, path)).copy_merge_params(query)
    return await client.get(url, headers=ward.root.headers)


def _rows(items: list[dict[str, Any]]) -> list[str]:
    """What tells rows apart; a link is another one each time."""
    return sorted(str({name: value for name, value in item.items() if "url" not in name}) for item in items)


@pytest.mark.parametrize("path", LISTS)
async def test_every_list_is_walked_through_by_next(client: httpx.AsyncClient, ward: Ward, path: str) -> None:
    whole = (await _get(client, ward, path, limit=500)).json()
    walked: list[Any] = []
    query: dict[str, Any] = {"limit": max(1, len(whole["items"]) // 3)}
    for _ in range(5):
        told = (await _get(client, ward, path, **query)).json()
        walked += told["items"]
        if "next" not in told:
            break
        query["after"] = told["next"]
    assert "next" not in whole
    assert _rows(walked) == _rows(whole["items"])
    assert walked


@pytest.mark.parametrize("path", LISTS)
async def test_a_forged_cursor_is_422_everywhere(client: httpx.AsyncClient, ward: Ward, path: str) -> None:
    answer = await _get(client, ward, path, after="WzEsMiwzLDQsNV0")
    assert answer.status_code == 422
    assert "send the `next` of its last answer" in answer.json()["detail"]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(after=st.text(max_size=80))
async def test_whatever_is_sent_as_a_cursor_is_never_a_defect(
    client: httpx.AsyncClient, ward: Ward, after: str
) -> None:
    try:
        answer = await _get(client, ward, "ecg/metrics", after=after)
    except UnicodeEncodeError:
        return
    assert answer.status_code == 422


async def test_pages_go_ten_thousand_items_deep(client: httpx.AsyncClient, ward: Ward) -> None:
    assert (await _get(client, ward, "devices", page=201, limit=50)).status_code == 200
    answer = await _get(client, ward, "devices", page=202, limit=50)
    assert answer.status_code == 422
    assert "follow `next`" in answer.json()["detail"]


async def test_a_list_tells_its_total_and_that_it_was_counted(client: httpx.AsyncClient, ward: Ward) -> None:
    told = (await _get(client, ward, "ecg/beats?device_id={device}", limit=10)).json()
    assert (told["total"], told["total_is_exact"], told["page"], told["limit"]) == (240, True, 1, 10)


async def test_doctors_and_patients_see_each_other(client: httpx.AsyncClient, ward: Ward) -> None:
    answer = await client.get(f"{API}/users/{ward.ada.user.user_id}/doctors", headers=ward.ada.headers)
    assert [doctor["username"] for doctor in answer.json()["items"]] == ["doc"]
    answer = await client.get(f"{API}/users/{ward.doc.user.user_id}/patients", headers=ward.doc.headers)
    assert [patient["username"] for patient in answer.json()["items"]] == ["ada"]
    for path in (f"{ward.ada.user.user_id}/doctors", f"{ward.doc.user.user_id}/patients"):
        assert (await client.get(f"{API}/users/{path}", headers=ward.bob.headers)).status_code == 404
