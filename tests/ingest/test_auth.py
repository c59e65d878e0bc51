"""auth: people come in and go, and nobody learns who else is here."""

from __future__ import annotations

import json
from uuid import uuid4

import httpx
import pytest

from tests.ingest.desk import PASSWORD, Desk, Person, problem

pytestmark = pytest.mark.embedded


async def test_anyone_registers_and_becomes_a_user(http: httpx.AsyncClient, desk: Desk) -> None:
    body = {"username": "Ada", "password": PASSWORD, "full_name": "Ada Example", "age": 36}
    answer = await http.post("/auth/register", json=body)
    told = answer.json()
    assert (answer.status_code, told["username"], told["role"], told["age"]) == (201, "Ada", "user", 36)
    assert PASSWORD not in answer.text
    assert "password" not in answer.text
    assert await desk.audited(told["user_id"]) == ["auth.register"]
    hashed = await desk.value("SELECT password_hash FROM users WHERE user_id = %s", told["user_id"])
    assert hashed.startswith("$argon2id$")


async def test_a_name_that_is_taken_is_409_letter_case_aside(http: httpx.AsyncClient, newcomer: Person) -> None:
    body = {"username": newcomer.username.upper(), "password": PASSWORD}
    told = problem(await http.post("/auth/register", json=body))
    assert (told["status"], told["title"]) == (409, "Duplicate")
    assert told["detail"].endswith("choose another username")


@pytest.mark.parametrize(
    ("changed", "where"),
    [
        ({"password": "short"}, "body.password"),
        ({"password": "x" * 1025}, "body.password"),
        ({"username": ""}, "body.username"),
        ({"username": "a\x00b"}, "body.username"),
        ({"username": "\ud800"}, "body.username"),
        ({"username": "x" * 51}, "body.username"),
        ({"email": "nobody"}, "body.email"),
        ({"age": -1}, "body.age"),
        ({"role": "admin"}, "body.role"),
        ({"password": "12345678\ud800"}, "body.password"),
        ({"\udfff": 1}, "body"),
    ],
)
async def test_a_bad_registration_is_422_names_the_field_and_keeps_the_password_to_itself(
    http: httpx.AsyncClient, changed: dict[str, object], where: str
) -> None:
    body = {"username": f"bad-{uuid4().hex[:8]}", "password": PASSWORD} | changed
    content = json.dumps(body)  # which, unlike httpx's own, can say half a surrogate pair
    answer = await http.post("/auth/register", content=content, headers={"Content-Type": "application/json"})
    told = problem(answer)
    assert (told["status"], [error["where"] for error in told["errors"]]) == (422, [where])
    assert told["detail"].endswith("correct this and send the request again")
    assert json.dumps(body["password"]).strip('"') not in answer.text


@pytest.mark.parametrize("field", ["username", "password"])
async def test_a_login_that_is_no_unicode_is_422_too(http: httpx.AsyncClient, field: str) -> None:
    content = json.dumps({"username": "ada", "password": PASSWORD, field: "\ud800"})
    answer = await http.post("/auth/login", content=content, headers={"Content-Type": "application/json"})
    assert (answer.status_code, problem(answer)["errors"][0]["where"]) == (422, f"body.{field}")


async def test_a_login_is_a_session_with_an_end(http: httpx.AsyncClient, desk: Desk, newcomer: Person) -> None:
    body = {"username": newcomer.username.upper(), "password": PASSWORD}
    answer = await http.post("/auth/login", json=body, headers={"User-Agent": "A" * 300})
    told = answer.json()
    assert (answer.status_code, told["token_type"], told["expires_in"]) == (200, "bearer", 3600)
    assert told["user"]["user_id"] == str(newcomer.user_id)
    open_sessions = "SELECT count(*) FROM user_sessions WHERE user_id = %s AND expires_at > now() + interval '29 days'"
    assert await desk.value(open_sessions, newcomer.user_id) == 2
    assert await desk.audited(newcomer.user_id) == ["auth.register", "auth.login", "auth.login"]
    assert await desk.value("SELECT last_login IS NOT NULL FROM users WHERE user_id = %s", newcomer.user_id)


async def test_a_wrong_password_an_unknown_name_and_an_inactive_user_get_one_answer(
    http: httpx.AsyncClient, desk: Desk, newcomer: Person
) -> None:
    wrong = await http.post("/auth/login", json={"username": newcomer.username, "password": "not this one"})
    unknown = await http.post("/auth/login", json={"username": "nobody-at-all", "password": PASSWORD})
    await desk.value("UPDATE users SET is_active = false WHERE user_id = %s RETURNING 1", newcomer.user_id)
    inactive = await http.post("/auth/login", json={"username": newcomer.username, "password": PASSWORD})
    told = problem(wrong)
    assert told == problem(unknown) == problem(inactive)
    assert (told["status"], wrong.headers["www-authenticate"]) == (401, "Bearer")
    assert told["detail"].endswith("check both, or ask an admin")


async def test_an_inactive_users_open_session_is_good_for_nothing(
    http: httpx.AsyncClient, desk: Desk, newcomer: Person
) -> None:
    await desk.value("UPDATE users SET is_active = false WHERE user_id = %s RETURNING 1", newcomer.user_id)
    assert problem(await http.post("/devices", json={}, headers=newcomer.headers))["status"] == 401


async def test_after_logout_the_token_is_refused(http: httpx.AsyncClient, desk: Desk, newcomer: Person) -> None:
    answer = await http.post("/auth/logout", headers=newcomer.headers)
    assert (answer.status_code, answer.content) == (204, b"")
    told = problem(await http.post("/auth/logout", headers=newcomer.headers))
    assert told["status"] == 401
    assert told["detail"] == "this session is closed; log in again with POST auth/login"
    assert (await desk.audited(newcomer.user_id))[-1] == "auth.logout"


@pytest.mark.parametrize(
    ("header", "told"),
    [
        (None, "no access token; log in"),
        ("Bearer nonsense", "the access token is not valid; log in again"),
        ("Basic YTpi", "no access token; log in"),
    ],
)
async def test_without_a_good_token_nobody_logs_out(http: httpx.AsyncClient, header: str | None, told: str) -> None:
    answer = await http.post("/auth/logout", headers={"Authorization": header} if header else {})
    assert problem(answer)["detail"].startswith(told)
    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")
