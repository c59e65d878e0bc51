"""Samples come back bit for bit, page by page, or thinned for drawing."""

from __future__ import annotations

from typing import Any

import httpx
import numpy as np
import pytest

from api.routes import samples as route
from schemas import codec
from schemas.clock import index_to_us, to_datetime
from schemas.samples import MISSING
from storage.envelopes import envelope
from tests.api.ward import COUNT, HOLE, RATE_HZ, Ward

pytestmark = pytest.mark.embedded

PATH = "/api/v1/ecg/samples"


async def _get(client: httpx.AsyncClient, ward: Ward, **query: Any) -> httpx.Response:
    return await client.get(PATH, params=query, headers=ward.ada.headers)


def _array(strip: dict[str, Any]) -> np.ndarray[tuple[int, int], np.dtype[np.int16]]:
    return np.array([[MISSING if v is None else v for v in row] for row in strip["samples"]], np.int16)


async def test_a_whole_recording_comes_back_bit_for_bit(client: httpx.AsyncClient, ward: Ward) -> None:
    answer = await _get(client, ward, recording_id=ward.recording.recording_id)
    [strip] = answer.json()["recordings"]
    assert np.array_equal(_array(strip), ward.samples)
    assert strip["gaps"] == [{"first_index": HOLE[0], "end_index": HOLE[1]}]
    assert (strip["leads"], strip["uv_per_lsb"], strip["rate_hz"]) == (["MLII", "V1"], [5.0, 2.5], RATE_HZ)


async def test_pages_by_index_join_without_a_seam(client: httpx.AsyncClient, ward: Ward) -> None:
    pages = []
    for first in range(0, COUNT, 10_007):
        answer = await _get(
            client, ward, recording_id=ward.recording.recording_id, first_index=first, end_index=first + 10_007
        )
        [strip] = answer.json()["recordings"]
        assert strip["first_index"] == first
        pages.append(_array(strip))
    assert np.array_equal(np.concatenate(pages, axis=1), ward.samples)


async def test_protobuf_carries_the_same_samples(client: httpx.AsyncClient, ward: Ward) -> None:
    headers = {**ward.ada.headers, "Accept": route.PROTOBUF}
    answer = await client.get(PATH, params={"recording_id": str(ward.recording.recording_id)}, headers=headers)
    assert answer.headers["content-type"] == route.PROTOBUF
    rebuilt = np.full_like(ward.samples, MISSING)
    for block in codec.decode_pack(answer.content):
        rebuilt[:, block.first_index : block.end_index] = block.samples
    assert np.array_equal(rebuilt, ward.samples)


async def test_a_period_gives_the_samples_at_those_moments(client: httpx.AsyncClient, ward: Ward) -> None:
    start_us = ward.recording.started_at_us + index_to_us(1001, RATE_HZ)
    end = to_datetime(start_us + 2_000_000).isoformat()
    answer = await _get(client, ward, device_id=ward.device.device_id, start=start_us, end=end)
    [strip] = answer.json()["recordings"]
    assert (strip["first_index"], strip["count"], strip["started_at_us"]) == (1001, 720, start_us)
    assert np.array_equal(_array(strip), ward.samples[:, 1001:1721])


async def test_leads_are_answered_as_they_are_named(client: httpx.AsyncClient, ward: Ward) -> None:
    answer = await _get(client, ward, recording_id=ward.recording.recording_id, end_index=5000, leads="V1, MLII")
    [strip] = answer.json()["recordings"]
    assert (strip["leads"], strip["uv_per_lsb"]) == (["V1", "MLII"], [2.5, 5.0])
    assert np.array_equal(_array(strip), ward.samples[::-1, :5000])


async def test_one_lead_is_drawn_as_it_is_with_the_others(client: httpx.AsyncClient, ward: Ward) -> None:
    both, one = [
        (await _get(client, ward, recording_id=ward.recording.recording_id, points=3, leads=leads)).json()
        for leads in ("MLII,V1", "V1,II")
    ]
    [both], [one] = both["recordings"], one["recordings"]
    assert one["leads"] == ["V1"]
    assert (one["minimum"], one["maximum"]) == (both["minimum"][1:], both["maximum"][1:])


async def test_a_long_range_is_drawn_as_all_its_samples_are(client: httpx.AsyncClient, ward: Ward) -> None:
    answer = await _get(client, ward, recording_id=ward.recording.recording_id, points=3)
    [strip] = answer.json()["recordings"]
    expected = envelope(ward.samples, 3)
    assert (strip["minimum"], strip["maximum"]) == (expected.minimum.tolist(), expected.maximum.tolist())
    assert strip["gaps"] == [{"first_index": HOLE[0], "end_index": HOLE[1]}]


async def test_points_keep_every_extreme(client: httpx.AsyncClient, ward: Ward) -> None:
    answer = await _get(client, ward, recording_id=ward.recording.recording_id, points=1000)
    [strip] = answer.json()["recordings"]
    assert strip["points"] == 1000
    lows = [value for value in strip["minimum"][1] if value is not None]
    present = ward.samples[1][ward.samples[1] != MISSING]
    assert (min(lows), max(v for v in strip["maximum"][1] if v is not None)) == (present.min(), present.max())
    assert None in strip["minimum"][1]


async def test_too_much_at_once_is_refused_with_the_first_page_to_ask_for(
    client: httpx.AsyncClient, ward: Ward, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(route, "MAX_EXACT", 100_000)
    answer = await _get(client, ward, recording_id=ward.recording.recording_id)
    assert answer.status_code == 422
    assert "first_index=0&end_index=50000 and go on from there" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("query", "remedy"),
    [
        ({}, "name a recording_id"),
        ({"device_id": "here"}, "or a device_id with start and end"),
        ({"device_id": "here", "first_index": 5}, "name its recording_id"),
        ({"recording_id": "here", "start": "1", "end_index": 5}, "or start and end"),
        ({"recording_id": "here", "start": "9", "end": "1"}, "send start first"),
        ({"recording_id": "here", "points": 0}, "greater than or equal to 1"),
        ({"recording_id": "here", "leads": "V1,V99"}, "V99"),
        ({"recording_id": "here", "leads": "V6,aVR"}, "ask for some of MLII,V1"),
        ({"recording_id": "nonsense"}, "valid UUID"),
        ({"device_id": "here", "start": "yesterday", "end": "1"}, "send 2026-01-31T12:00:00Z"),
    ],
)
async def test_an_unclear_question_is_422_with_the_remedy(
    client: httpx.AsyncClient, ward: Ward, query: dict[str, Any], remedy: str
) -> None:
    known = {"recording_id": str(ward.recording.recording_id), "device_id": str(ward.device.device_id)}
    asked = {name: known[name] if value == "here" else value for name, value in query.items()}
    answer = await _get(client, ward, **asked)
    assert answer.status_code == 422
    assert remedy in answer.json()["detail"]


async def test_a_period_without_samples_is_an_empty_list(client: httpx.AsyncClient, ward: Ward) -> None:
    answer = await _get(client, ward, device_id=ward.device.device_id, start=0, end=1)
    assert answer.json() == {"recordings": []}


async def test_recordings_tell_what_is_stored(client: httpx.AsyncClient, ward: Ward) -> None:
    query = {"device_id": str(ward.device.device_id)}
    answer = await client.get("/api/v1/ecg/recordings", params=query, headers=ward.ada.headers)
    [found] = answer.json()["items"]
    assert (found["first_index"], found["end_index"]) == (0, COUNT)
    assert answer.json()["total"] == 1
