"""auth/update-profile and auth/change-password: people change what is theirs to change."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.ingest.desk import PASSWORD, Desk, Person, problem
from tests.ingest.test_refresh import is_let_in, login, renew

pytestmark = pytest.mark.embedded

NEW_PASSWORD = "another correct horse"


async def test_what_is_sent_is_changed_and_the_rest_stays(
    http: httpx.AsyncClient, desk: Desk, newcomer: Person
) -> None:
    first = {"full_name": "Ada Example", "age": 36, "email": f"{newcomer.username}@example.org", "gender": "f"}
    await http.put("/auth/update-profile", json=first, headers=newcomer.headers)
    answer = await http.put("/auth/update-profile", json={"phone": "1", "age": None}, headers=newcomer.headers)
    told = answer.json()
    assert (answer.status_code, told["full_name"], told["age"], told["phone"]) == (200, "Ada Example", None, "1")
    assert (await desk.audited(newcomer.user_id))[-1] == "auth.update_profile"
    about = "SELECT detail FROM audit_log WHERE patient_id = %s ORDER BY at DESC LIMIT 1"
    assert await desk.value(about, newcomer.user_id) == "age, phone"


@pytest.mark.parametrize(
    "body",
    [{"role": "admin"}, {"username": "root"}, {"serial_number": "1"}, {"password": NEW_PASSWORD}, {"age": -1},
     {"email": "nobody"}, {"is_active": False}],
)  # fmt: skip
async def test_what_is_not_theirs_to_change_is_422(
    http: httpx.AsyncClient, newcomer: Person, body: dict[str, Any]
) -> None:
    assert problem(await http.put("/auth/update-profile", json=body, headers=newcomer.headers))["status"] == 422


async def test_an_email_that_is_anothers_is_409(http: httpx.AsyncClient, desk: Desk, newcomer: Person) -> None:
    body = {"email": f"{newcomer.username}@taken.example"}
    await http.put("/auth/update-profile", json=body, headers=desk.user.headers)
    assert problem(await http.put("/auth/update-profile", json=body, headers=newcomer.headers))["status"] == 409


async def change(http: httpx.AsyncClient, person: Person, current: str, new: str = NEW_PASSWORD) -> httpx.Response:
    body = {"current_password": current, "new_password": new}
    return await http.post("/auth/change-password", json=body, headers=person.headers)


async def test_another_password_ends_all_other_sessions_and_keeps_this_one(
    http: httpx.AsyncClient, desk: Desk, newcomer: Person
) -> None:
    other = await login(http, newcomer)
    answer = await change(http, newcomer, PASSWORD)
    assert (answer.status_code, answer.content) == (204, b"")
    assert await is_let_in(http, newcomer.token)
    assert not await is_let_in(http, other["access_token"])
    assert (await renew(http, other["refresh_token"])).status_code == 401
    assert "auth.change_password" in await desk.audited(newcomer.user_id)


async def test_the_new_password_is_good_and_the_old_one_is_not(http: httpx.AsyncClient, newcomer: Person) -> None:
    await change(http, newcomer, PASSWORD)
    codes = [
        (await http.post("/auth/login", json={"username": newcomer.username, "password": password})).status_code
        for password in (PASSWORD, NEW_PASSWORD)
    ]
    assert codes == [401, 200]


async def test_a_wrong_current_password_changes_nothing(http: httpx.AsyncClient, newcomer: Person) -> None:
    told = problem(await change(http, newcomer, "a wrong guess"))
    assert told["status"] == 403
    assert told["detail"].endswith("send the right one, or ask an admin for a new one")
    assert await login(http, newcomer)


@pytest.mark.parametrize("new", ["short", "x" * 1025])
async def test_a_password_that_is_none_is_422_and_not_repeated(
    http: httpx.AsyncClient, newcomer: Person, new: str
) -> None:
    answer = await change(http, newcomer, PASSWORD, new)
    assert problem(answer)["status"] == 422
    assert new not in answer.text


@pytest.mark.parametrize(("method", "path"), [("PUT", "/auth/update-profile"), ("POST", "/auth/change-password")])
async def test_strangers_change_nothing(http: httpx.AsyncClient, method: str, path: str) -> None:
    assert problem(await http.request(method, path, json={}))["status"] == 401
