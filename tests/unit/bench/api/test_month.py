"""The month is the same each time, and every list of a document is asked."""

from __future__ import annotations

import re

from bench.api.endpoints import endpoints, people
from bench.api.month import STEPS, Month, admin, device_id, doctor, user_id
from bench.api.traffic import abuse, mixed

MONTH = Month(5000, 3600)
_PAGES = [{"name": "page", "in": "query"}, {"name": "limit", "in": "query"}]
_DEVICE = {"name": "device_id", "in": "query", "required": True}
DOCUMENT = {
    "paths": {
        "/api/v1/users/{user_id}/devices": {"get": {"parameters": [{"name": "user_id", "in": "path"}, *_PAGES]}},
        "/api/v1/ecg/hrv": {"get": {"parameters": [_DEVICE, *_PAGES]}},
        "/api/v1/new/latest": {"get": {}},
        "/api/v1/devices/{device_id}": {"get": {"parameters": [{"name": "device_id", "in": "path", "required": True}]}},
        "/api/v1/odd": {"get": {"parameters": [{"name": "shoe_size", "in": "query", "required": True}, *_PAGES]}},
        "/health": {"get": {}},
    }
}


def test_ids_are_those_that_the_sql_makes() -> None:
    """PostgreSQL's md5('user-1')::uuid."""
    assert str(user_id(1)) == "d6d77053-92bc-7af6-3332-8bea8c4c6904"
    assert user_id(1) != device_id(1)
    assert list(people(MONTH).values()) == [1, doctor(MONTH), admin(MONTH)] == [1, 5001, 5101]


def test_every_list_is_asked_by_every_role_and_nothing_else() -> None:
    asked = list(endpoints(DOCUMENT, MONTH))
    assert {one.role for one in asked} == {"user", "doctor", "admin"}
    assert {one.name for one in asked} == {"users/{user_id}/devices", "ecg/hrv?device_id", "new/latest"}
    assert f"/api/v1/users/{user_id(1)}/devices" in {one.target for one in asked}


def test_every_table_is_filled_once_and_values_are_parameters() -> None:
    assert len({table for table, _ in STEPS}) == len(STEPS)
    for table, query in STEPS:
        assert f"INSERT INTO {table} (" in query
        assert "%" not in re.sub(r"%%|%\((users|people|doctors|patients|days|cadence|hash)\)s", "", query)


def test_a_busy_day_has_all_its_kinds() -> None:
    calls = mixed(list(endpoints(DOCUMENT, MONTH)), {role: ["t"] for role in people(MONTH)}, posts_metrics=True)
    kinds = {next(calls).kind.split(" (")[0] for _ in range(400)}
    assert {"POST ecg/samples", "POST ecg/metrics", "GET ecg/hrv?device_id"} <= kinds


def test_abuse_never_repeats_itself() -> None:
    calls = abuse("user00099")
    sent = [next(calls) for _ in range(40)]
    assert {call.kind for call in sent} == {"bad token", "no token", "bad device token", "login guess"}
    assert len({call.data for call in sent if call.kind != "no token"}) == 30
