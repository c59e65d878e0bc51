"""users: only an admin makes people of any role."""

from __future__ import annotations

from uuid import uuid4

import httpx
import pytest

from tests.ingest.desk import PASSWORD, Desk, problem

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
