"""Lists and single objects are sent once: whoever names their ETag hears that nothing changed."""

from __future__ import annotations

import pytest

from tests.contract.scene import Scene

TARGETS = (
    "auth/me",
    "users/{user_id}",
    "devices",
    "devices/{device_id}",
    "ecg/metrics?user_id={user_id}",
    "ecg/metrics/latest?user_id={user_id}",
    "ecg/reports",
    "ecg/reports/{report_id}",
    "ecg/recordings/{recording_id}",
    "ecg/alarms/{alarm_id}",
)


@pytest.mark.parametrize("target", TARGETS)
async def test_an_unchanged_answer_is_304(scene: Scene, target: str) -> None:
    patient = await scene.patient()
    path = f"{scene.prefix}/{target.format(**patient.ids)}"
    async with scene.client(patient.person.headers) as http:
        first = await http.get(path)
        again = await http.get(path, headers={"If-None-Match": first.headers["etag"]})
    assert (first.status_code, again.status_code, again.content) == (200, 304, b"")
    assert first.headers["cache-control"] == again.headers["cache-control"] == "no-store"
    assert "Authorization" in first.headers["vary"]


async def test_a_changed_one_is_sent_with_another_tag(scene: Scene) -> None:
    patient = await scene.patient()
    async with scene.client(patient.person.headers) as http:
        first = await http.get(f"{scene.prefix}/devices")
        assert (await http.post(f"{scene.prefix}/devices", json={"device_name": "Bed 5"})).status_code == 201
        again = await http.get(f"{scene.prefix}/devices", headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.json()["total"]) == (200, 2)
    assert again.headers["etag"] != first.headers["etag"]


async def test_a_tag_is_no_way_past_the_door(scene: Scene) -> None:
    patient = await scene.patient()
    async with scene.client(patient.person.headers) as http:
        known = (await http.get(f"{scene.prefix}/devices/{patient.ids['device_id']}")).headers["etag"]
    for headers, status in (({}, 401), ((await scene.person("user")).headers, 404)):
        async with scene.client({**headers, "If-None-Match": known}) as http:
            answer = await http.get(f"{scene.prefix}/devices/{patient.ids['device_id']}")
        assert answer.status_code == status
