"""What was written can be read: lists, filters, reports, links, health and the page."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from schemas import clock
from schemas.clock import index_to_us
from schemas.rhythms import NORMAL, TACHYCARDIA
from tests.api.ward import COUNT, PDF, RATE_HZ, Ward

pytestmark = pytest.mark.embedded

API = "/api/v1"


async def _items(client: httpx.AsyncClient, ward: Ward, path: str, **query: Any) -> list[dict[str, Any]]:
    answer = await client.get(f"{API}/{path}", params=query, headers=ward.ada.headers)
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


async def test_live_names_the_patient_and_the_newest_figures(client: httpx.AsyncClient, ward: Ward) -> None:
    [live] = await _items(client, ward, "devices/live")
    assert (live["patient_name"], live["heart_rate"], live["arrhythmia_type"]) == ("Ada Example", 72, NORMAL)
    assert (live["device_name"], live["arrhythmia_confidence"], live["quality"]) == ("H1", 92.5, 0.875)


async def test_live_of_an_admin_is_everyone_s(client: httpx.AsyncClient, ward: Ward) -> None:
    answer = await client.get(f"{API}/devices/live", headers=ward.root.headers)
    assert [item["device_id"] for item in answer.json()["items"]] == [str(ward.device.device_id)]


async def test_metrics_are_newest_first_and_filtered(client: httpx.AsyncClient, ward: Ward) -> None:
    start = ward.recording.started_at_us
    some = await _items(client, ward, "ecg/metrics", start=start + 5_000_000, end=start + 8_000_000)
    assert [item["recorded_at"] for item in some] == sorted((item["recorded_at"] for item in some), reverse=True)
    assert len(some) == 3
    assert await _items(client, ward, "ecg/metrics", arrhythmia_type=TACHYCARDIA) == []
    [latest] = await _items(client, ward, "ecg/metrics/latest")
    assert latest["arrhythmia_confidence"] == 92.5


async def test_metrics_tell_each_lead_s_quality_and_the_figures_unrounded(
    client: httpx.AsyncClient, ward: Ward
) -> None:
    [latest] = await _items(client, ward, "ecg/metrics/latest")
    assert (latest["qtc_interval"], latest["qtc_ms"], latest["qtc_bazett_ms"], latest["qtc_hodges_ms"]) == (
        402, 401.5, 410.5, None,
    )  # fmt: skip
    assert (latest["st80_mv"], latest["t_axis_deg"], latest["seconds"], latest["main_lead"]) == (0.25, 40.0, 1, "MLII")
    assert latest["leads"] == [
        {"lead": "MLII", "quality": 0.875, "flags": []},
        {"lead": "V1", "quality": 0.5, "flags": ["noise"]},
    ]


async def test_beats_and_rhythms_are_found_by_time(client: httpx.AsyncClient, ward: Ward) -> None:
    start = ward.recording.started_at_us
    beats = await _items(
        client, ward, "ecg/beats", device_id=ward.device.device_id, start=start, end=start + index_to_us(901, RATE_HZ)
    )
    assert [beat["r_index"] for beat in beats] == [0, 300, 600, 900]
    assert beats[0]["fiducials"]["qrs_onset"] is None
    [episode] = await _items(client, ward, "ecg/rhythms", device_id=ward.device.device_id, start=start)
    assert (episode["label"], episode["state"]) == (NORMAL, "opened")


async def test_the_burden_counts_each_hours_beats(client: httpx.AsyncClient, ward: Ward) -> None:
    start, hour_us = ward.recording.started_at_us, 3_600_000_000
    period = {"start": start - hour_us, "end": start + hour_us}
    hours = await _items(client, ward, "ecg/beats/burden", device_id=ward.device.device_id, **period)
    assert sum(hour["ectopy"]["beats"] for hour in hours) == 240
    assert hours[0]["ectopy"]["ventricular_groups"] == {"couplets": 0, "runs": 0}
    assert await _items(client, ward, "ecg/beats/burden", device_id=ward.bobs_device.device_id, **period) == []
    too_long: dict[str, str | int] = {"device_id": str(ward.device.device_id), "start": 0, "end": start}
    answer = await client.get(f"{API}/ecg/beats/burden", params=too_long, headers=ward.ada.headers)
    assert answer.status_code == 422


async def test_a_trend_and_percentiles_tell_only_ones_own(client: httpx.AsyncClient, ward: Ward) -> None:
    start, hour_us = ward.recording.started_at_us, 3_600_000_000
    period: dict[str, str | int] = {
        "device_id": str(ward.device.device_id), "start": start // hour_us * hour_us, "end": start + hour_us,
    }  # fmt: skip
    hours = await _items(client, ward, "ecg/metrics/trend", **period)
    answer = await client.get(f"{API}/ecg/metrics/percentiles", params=period, headers=ward.ada.headers)
    told = answer.json()
    assert sum(hour["heart_rate_mean"] is not None for hour in hours) == len(told["items"]) > 0
    assert 0 <= told["whole"]["p5"] <= told["whole"]["p50"] <= told["whole"]["p95"]
    assert [item["at"] for item in told["items"]] == [hour["at"] for hour in hours]
    answer = await client.get(f"{API}/ecg/metrics/percentiles", params=period, headers=ward.bob.headers)
    assert answer.json() == {"whole": None, "items": []}


async def test_the_burden_of_a_day_counts_its_beats(client: httpx.AsyncClient, ward: Ward) -> None:
    start, day_us = ward.recording.started_at_us, 86_400_000_000
    period = {"start": start // day_us * day_us, "end": start + day_us}
    days = await _items(client, ward, "ecg/beats/burden/daily", device_id=ward.device.device_id, **period)
    assert sum(day["beats"] for day in days) == 240
    assert await _items(client, ward, "ecg/beats/burden/daily", device_id=ward.bobs_device.device_id, **period) == []


@pytest.mark.parametrize(
    ("path", "step", "days"),
    [("metrics/trend", "1min", 2), ("metrics/percentiles", "1h", 32), ("beats/burden/daily", "1day", 367)],
)
async def test_a_period_that_is_too_long_is_refused(
    client: httpx.AsyncClient, ward: Ward, path: str, step: str, days: int
) -> None:
    asked: dict[str, str | int] = {
        "device_id": str(ward.device.device_id), "step": step, "start": 0, "end": days * 86_400_000_000,
    }  # fmt: skip
    answer = await client.get(f"{API}/ecg/{path}", params=asked, headers=ward.ada.headers)
    assert (answer.status_code, "ask for" in answer.json()["detail"]) == (422, True)


async def test_variability_is_newest_first_and_only_ones_own(client: httpx.AsyncClient, ward: Ward) -> None:
    start = ward.stretches[0].stretch_start
    rows = await _items(client, ward, "ecg/hrv", device_id=ward.device.device_id)
    assert [(row["reason"], row["sdnn_ms"]) for row in rows] == [("little_nn", None), (None, 45.5)]
    [first] = await _items(client, ward, "ecg/hrv", device_id=ward.device.device_id, end=clock.to_us(start) + 1)
    assert first["stretch_start"] == start.isoformat().replace("+00:00", "Z")
    answer = await client.get(
        f"{API}/ecg/hrv", params={"device_id": str(ward.device.device_id)}, headers=ward.bob.headers
    )
    assert answer.json()["items"] == []


async def test_pages_cover_everything_once(client: httpx.AsyncClient, ward: Ward) -> None:
    seen: list[int] = []
    for page in (1, 2, 3):
        answer = await client.get(
            f"{API}/ecg/beats",
            params={"recording_id": str(ward.recording.recording_id), "page": page, "limit": 100},
            headers=ward.ada.headers,
        )
        seen += [beat["r_index"] for beat in answer.json()["items"]]
    assert answer.json()["total"] == 240
    assert seen == list(range(0, COUNT, 300))


async def test_a_label_that_no_database_can_hold_is_422(client: httpx.AsyncClient, ward: Ward) -> None:
    answer = await client.get(f"{API}/ecg/metrics?arrhythmia_type=a%00b", headers=ward.ada.headers)
    assert answer.status_code == 422


@pytest.mark.parametrize("query", [{"limit": 501}, {"limit": 0}, {"page": 0}, {"page": "first"}])
async def test_pages_are_bounded(client: httpx.AsyncClient, ward: Ward, query: dict[str, Any]) -> None:
    assert (await client.get(f"{API}/devices", params=query, headers=ward.ada.headers)).status_code == 422


async def test_a_report_downloads_under_its_name(client: httpx.AsyncClient, ward: Ward) -> None:
    answer = await client.get(f"{API}/ecg/reports/{ward.report_id}/download", headers=ward.ada.headers)
    assert (answer.content, answer.headers["content-type"]) == (PDF, "application/pdf")
    assert answer.headers["content-disposition"].startswith('attachment; filename="ecg _')
    assert "filename*=UTF-8''ecg%20%E2%80%9C" in answer.headers["content-disposition"]


async def test_a_report_that_is_not_written_yet_says_so(client: httpx.AsyncClient, ward: Ward) -> None:
    answer = await client.get(f"{API}/ecg/reports/{ward.pending_report_id}/download", headers=ward.ada.headers)
    assert answer.status_code == 404
    assert "its status is pending; ask again" in answer.json()["detail"]


async def test_a_link_opens_without_a_token_and_not_when_changed(client: httpx.AsyncClient, ward: Ward) -> None:
    answer = await client.get(f"{API}/ecg/reports/{ward.report_id}/url", headers=ward.ada.headers)
    link = answer.json()["url"]
    assert (await client.get(link)).content == PDF
    changed = link.replace("expires=", "expires=9")
    assert (await client.get(changed)).status_code == 403
    other = link.replace(str(ward.report_id), str(ward.pending_report_id))
    assert (await client.get(other)).status_code == 403


async def test_it_is_ready_with_all_its_servers(client: httpx.AsyncClient) -> None:
    answer = await client.get("/ready")
    assert answer.json() == {
        "status": "ready",
        "checks": {"database": "ok", "audit": "ok", "kafka": "ok", "objects": "ok"},
    }


async def test_the_page_is_served_and_revalidated(client: httpx.AsyncClient) -> None:
    page = await client.get("/")
    assert page.status_code == 200
    assert "text/html" in page.headers["content-type"]
    assert page.headers["cache-control"] == "no-cache"
    again = await client.get("/", headers={"If-None-Match": page.headers["etag"]})
    assert again.status_code == 304


@pytest.mark.parametrize(
    "path", ["/__init__.py", "/js/../../app.py", "/api/v1/nothing", "/js", "/a%00b", "/" + "a" * 5000]
)
async def test_what_is_not_a_page_or_a_route_is_404(client: httpx.AsyncClient, path: str) -> None:
    answer = await client.get(path)
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
@pytest.mark.parametrize("path", [f"{API}/devices", "/"])
async def test_nothing_is_written_here(client: httpx.AsyncClient, method: str, path: str) -> None:
    answer = await client.request(method, path)
    assert answer.status_code == 405
    assert "GET" in answer.headers["allow"]


async def test_head_is_get_without_its_body(client: httpx.AsyncClient, ward: Ward) -> None:
    answer = await client.head(f"{API}/auth/me", headers=ward.ada.headers)
    assert (answer.status_code, answer.content) == (200, b"")
    assert int(answer.headers["content-length"]) > 0


async def test_the_openapi_document_warns_and_describes(client: httpx.AsyncClient) -> None:
    document = (await client.get(f"{API}/openapi.json")).json()
    assert "not for diagnosis or primary alarms" in document["info"]["description"]
    for path, methods in document["paths"].items():
        assert set(methods) == {"get"}, path
        assert methods["get"]["summary"]
        assert methods["get"]["tags"]
