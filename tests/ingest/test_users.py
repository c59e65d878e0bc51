"""users: an admin makes, changes and deletes people; everybody else changes their own profile."""

from __future__ import annotations

import asyncio
from uuid import UUID, uuid4

import httpx
import pytest

from tests.ingest.desk import PASSWORD, Desk, Person, problem

pytestmark = pytest.mark.embedded


def _body(**changed: object) -> dict[str, object]:
    return {"username": f"made-{uuid4().hex[:12]}", "password": PASSWORD} | changed


@pytest.mark.parametrize("role", ["user", "doctor", "admin"])
async def test_an_admin_makes_people_of_any_role(http: httpx.AsyncClient, desk: Desk, role: str) -> None:
    body = _body(role=role)
    answer = await http.post("/users", json=body, headers=desk.admin.headers)
    assert (answer.status_code, answer.json()["role"]) == (201, role)
    assert await desk.audited(answer.json()["user_id"]) == ["user.create"]
    login = await http.post("/auth/login", json={name: body[name] for name in ("username", "password")})
    assert login.json()["user"]["role"] == role


async def test_nobody_is_401(http: httpx.AsyncClient) -> None:
    told = problem(await http.post("/users", json=_body()))
    assert told["status"] == 401
    assert "log in with POST auth/login" in told["detail"]


@pytest.mark.parametrize("role", ["user", "doctor"])
async def test_who_is_no_admin_is_403_and_nobody_is_made(http: httpx.AsyncClient, desk: Desk, role: str) -> None:
    body = _body(role="admin")
    told = problem(await http.post("/users", json=body, headers=getattr(desk, role).headers))
    assert (told["status"], told["detail"]) == (403, f"this is for admins and you are a {role}; ask an admin")
    assert await desk.value("SELECT count(*) FROM users WHERE username = %s", body["username"]) == 0


@pytest.mark.parametrize("field", ["username", "email", "serial_number"])
async def test_what_is_unique_is_409_the_second_time(http: httpx.AsyncClient, desk: Desk, field: str) -> None:
    value = f"{uuid4().hex[:12]}@example.org"
    answers = [await http.post("/users", json=_body(**{field: value}), headers=desk.admin.headers) for _ in range(2)]
    assert answers[0].status_code == 201
    told = problem(answers[1])
    assert (told["status"], told["detail"]) == (
        409,
        f"a user with this {field} exists already; choose another {field}",
    )


async def test_a_role_that_is_none_of_ours_is_422(http: httpx.AsyncClient, desk: Desk) -> None:
    told = problem(await http.post("/users", json=_body(role="emperor"), headers=desk.admin.headers))
    assert (told["status"], told["errors"][0]["where"]) == (422, "body.role")
    assert "'user', 'doctor' or 'admin'" in told["detail"]


async def _made(http: httpx.AsyncClient, desk: Desk, **changed: object) -> Person:
    """Somebody of the test's own, logged in."""
    body = _body(**changed)
    assert (await http.post("/users", json=body, headers=desk.admin.headers)).status_code == 201
    login = await http.post("/auth/login", json={name: body[name] for name in ("username", "password")})
    return Person(UUID(login.json()["user"]["user_id"]), str(body["username"]), login.json()["access_token"])


async def _works(http: httpx.AsyncClient, person: Person) -> bool:
    """Whether a person's token is still good for anything."""
    return (await http.put(f"/users/{person.user_id}", json={}, headers=person.headers)).status_code != 401


async def test_people_change_their_own_profile(http: httpx.AsyncClient, desk: Desk, newcomer: Person) -> None:
    changes = {"full_name": "Neu Ling", "age": 61, "phone": None}
    answer = await http.put(f"/users/{newcomer.user_id}", json=changes, headers=newcomer.headers)
    assert (answer.status_code, answer.json()["full_name"], answer.json()["age"]) == (200, "Neu Ling", 61)
    assert answer.json()["username"] == newcomer.username
    detail = await desk.value(
        "SELECT detail FROM audit_log WHERE action = 'user.update' AND patient_id = %s", newcomer.user_id
    )
    assert detail == "age, full_name, phone"
    assert await _works(http, newcomer)


@pytest.mark.parametrize("beyond", [{"role": "admin"}, {"is_active": True}, {"username": "root"}])
async def test_what_is_an_admins_to_change_is_403_for_oneself(
    http: httpx.AsyncClient, newcomer: Person, beyond: dict[str, object]
) -> None:
    told = problem(await http.put(f"/users/{newcomer.user_id}", json=beyond, headers=newcomer.headers))
    assert (told["status"], told["detail"].endswith("ask an admin")) == (403, True)


async def test_others_are_404_and_a_doctors_patients_403(http: httpx.AsyncClient, desk: Desk, newcomer: Person) -> None:
    doctor = await _made(http, desk, role="doctor")
    path, changes = f"/users/{newcomer.user_id}", {"full_name": "X"}
    assert problem(await http.put(path, json=changes, headers=desk.user.headers))["status"] == 404
    assert problem(await http.put(path, json=changes, headers=doctor.headers))["status"] == 404
    await http.put(f"{path}/doctors/{doctor.user_id}", headers=desk.admin.headers)
    told = problem(await http.put(path, json=changes, headers=doctor.headers))
    assert (told["status"], "see but not change" in told["detail"]) == (403, True)
    assert await desk.value("SELECT full_name FROM users WHERE user_id = %s", newcomer.user_id) is None


@pytest.mark.parametrize("changes", [{"is_active": False}, {"role": "doctor"}])
async def test_another_role_or_none_ends_the_sessions(
    http: httpx.AsyncClient, desk: Desk, newcomer: Person, changes: dict[str, object]
) -> None:
    answer = await http.put(f"/users/{newcomer.user_id}", json=changes, headers=desk.admin.headers)
    assert answer.json() | changes == answer.json()
    assert not await _works(http, newcomer)


async def test_a_taken_name_is_409_and_nothing_to_change_422(
    http: httpx.AsyncClient, desk: Desk, newcomer: Person
) -> None:
    path = f"/users/{newcomer.user_id}"
    taken = await http.put(path, json={"username": desk.user.username.upper()}, headers=desk.admin.headers)
    assert problem(taken)["detail"].endswith("choose another username")
    assert problem(await http.put(path, json={}, headers=desk.admin.headers))["status"] == 422
    assert problem(await http.put(path, json={"username": None}, headers=desk.admin.headers))["status"] == 422


async def test_who_is_deleted_is_gone_and_their_data_stay(
    http: httpx.AsyncClient, desk: Desk, newcomer: Person
) -> None:
    serial = uuid4().hex
    device = (await http.post("/devices", json={"device_serial": serial}, headers=newcomer.headers)).json()
    metrics = await http.post("/ecg/metrics", json={"heart_rate": 70}, headers=newcomer.headers)
    path = f"/users/{newcomer.user_id}"
    assert (await http.delete(path, headers=desk.admin.headers)).status_code == 204
    assert not await _works(http, newcomer)
    assert problem(await http.delete(path, headers=desk.admin.headers))["status"] == 404
    with_token = {"Authorization": f"Bearer {device['token']}"}
    assert (await http.post("/ecg/metrics", json={}, headers=with_token)).status_code == 401
    kept = await desk.value("SELECT count(*) FROM ecg_metrics WHERE metric_id = %s", metrics.json()["metric_id"])
    assert kept == 1


async def test_what_was_unique_of_the_deleted_is_free_again(
    http: httpx.AsyncClient, desk: Desk, newcomer: Person
) -> None:
    body = {"device_serial": uuid4().hex}
    await http.post("/devices", json=body, headers=newcomer.headers)
    credentials = {"username": newcomer.username, "password": PASSWORD}
    await http.delete(f"/admin/users/{newcomer.user_id}", headers=desk.admin.headers)
    assert (await http.post("/auth/login", json=credentials)).status_code == 401
    assert (await http.post("/auth/register", json=credentials)).status_code == 201
    assert (await http.post("/auth/login", json=credentials)).json()["user"]["user_id"] != str(newcomer.user_id)
    assert (await http.post("/devices", json=body, headers=desk.user.headers)).status_code == 201


@pytest.mark.parametrize("role", ["user", "doctor"])
async def test_only_admins_delete_and_use_the_portal(
    http: httpx.AsyncClient, desk: Desk, newcomer: Person, role: str
) -> None:
    headers = getattr(desk, role).headers
    for path in (f"/users/{newcomer.user_id}", f"/admin/users/{newcomer.user_id}"):
        assert problem(await http.delete(path, headers=headers))["status"] == 403
    assert problem(await http.put(f"/admin/users/{newcomer.user_id}", json={}, headers=headers))["status"] == 403
    assert await _works(http, newcomer)


async def test_the_last_admin_stays(http: httpx.AsyncClient, desk: Desk) -> None:
    others = "UPDATE users SET is_active = false WHERE role = 'admin' AND is_active AND user_id <> %s RETURNING 1"
    await desk.value(others, desk.admin.user_id)
    path = f"/users/{desk.admin.user_id}"
    for changes in ({"role": "user"}, {"is_active": False}):
        told = problem(await http.put(path, json=changes, headers=desk.admin.headers))
        assert (told["status"], told["title"]) == (409, "Still needed")
        assert "make another user an admin first" in told["detail"]
    assert problem(await http.delete(path, headers=desk.admin.headers))["status"] == 409
    assert (await http.put(path, json={"full_name": "Root"}, headers=desk.admin.headers)).status_code == 200


async def test_care_begins_once_and_ends(http: httpx.AsyncClient, desk: Desk, newcomer: Person) -> None:
    doctor = await _made(http, desk, role="doctor")
    path = f"/users/{newcomer.user_id}/doctors/{doctor.user_id}"
    made = [(await http.put(path, headers=desk.admin.headers)).json() for _ in range(2)]
    assert made[0] == made[1]
    assert (made[0]["doctor_id"], made[0]["patient_id"]) == (str(doctor.user_id), str(newcomer.user_id))
    assert (await http.delete(path, headers=desk.admin.headers)).status_code == 204
    told = problem(await http.delete(path, headers=desk.admin.headers))
    assert (told["status"], "does not look after" in told["detail"]) == (404, True)
    assert (await http.put(path, headers=desk.admin.headers)).status_code == 200
    assert await desk.audited(doctor.user_id) == [
        "user.create",
        "auth.login",
        *["care.assign"] * 2,
        "care.end",
        "care.assign",
    ]


async def test_only_doctors_are_assigned_and_only_by_admins(
    http: httpx.AsyncClient, desk: Desk, newcomer: Person
) -> None:
    path = f"/users/{newcomer.user_id}/doctors"
    assert problem(await http.put(f"{path}/{desk.user.user_id}", headers=desk.admin.headers))["status"] == 422
    assert problem(await http.put(f"{path}/{uuid4()}", headers=desk.admin.headers))["status"] == 404
    assert problem(await http.put(f"{path}/{desk.doctor.user_id}", headers=desk.doctor.headers))["status"] == 403
    themself = f"/users/{desk.doctor.user_id}/doctors/{desk.doctor.user_id}"
    assert problem(await http.put(themself, headers=desk.admin.headers))["status"] == 422


async def test_two_admins_who_demote_each_other_at_once_leave_one(http: httpx.AsyncClient, desk: Desk) -> None:
    first, second = [await _made(http, desk, role="admin") for _ in range(2)]
    here = [first.user_id, second.user_id]
    others = "UPDATE users SET is_active = false WHERE role = 'admin' AND NOT user_id = ANY(%s) RETURNING 1"
    await desk.value(others, here)
    try:
        demoted = {"role": "user"}
        answers = await asyncio.gather(
            http.put(f"/users/{second.user_id}", json=demoted, headers=first.headers),
            http.put(f"/users/{first.user_id}", json=demoted, headers=second.headers),
        )
        left = await desk.value("SELECT count(*) FROM users WHERE role = 'admin' AND user_id = ANY(%s)", here)
    finally:
        await desk.value("UPDATE users SET is_active = true WHERE user_id = %s RETURNING 1", desk.admin.user_id)
    assert left == 1
    assert sorted(answer.status_code for answer in answers)[0] == 200
    assert max(answer.status_code for answer in answers) in {401, 409}
