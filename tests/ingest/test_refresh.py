"""auth/refresh-token: a session is renewed by whoever holds its newest token, and ends when an old one comes back."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest

from tests.ingest.desk import PASSWORD, Desk, Person, problem

pytestmark = pytest.mark.embedded


async def login(http: httpx.AsyncClient, person: Person) -> dict[str, Any]:
    answer = await http.post("/auth/login", json={"username": person.username, "password": PASSWORD})
    assert answer.status_code == 200
    told: dict[str, Any] = answer.json()
    return told


async def renew(http: httpx.AsyncClient, refresh_token: str) -> httpx.Response:
    return await http.post("/auth/refresh-token", json={"refresh_token": refresh_token})


async def is_let_in(http: httpx.AsyncClient, access_token: str) -> bool:
    answer = await http.put("/auth/update-profile", json={}, headers={"Authorization": f"Bearer {access_token}"})
    return answer.status_code == 200


async def test_a_renewal_brings_the_next_pair_and_the_session_goes_on(
    http: httpx.AsyncClient, newcomer: Person
) -> None:
    first = await login(http, newcomer)
    second = (await renew(http, first["refresh_token"])).json()
    third = (await renew(http, second["refresh_token"])).json()
    assert second.keys() == first.keys()
    assert len({told["refresh_token"] for told in (first, second, third)}) == 3
    assert second["refresh_expires_in"] <= first["refresh_expires_in"] == 30 * 86_400
    assert third["user"]["user_id"] == str(newcomer.user_id)
    assert await is_let_in(http, first["access_token"])  # until its own hour is over
    assert await is_let_in(http, third["access_token"])


async def test_the_session_keeps_the_hash_of_its_newest_token_and_no_refresh_token_in_plain(
    http: httpx.AsyncClient, desk: Desk, newcomer: Person
) -> None:
    told = (await renew(http, (await login(http, newcomer))["refresh_token"])).json()
    newest = "SELECT count(*) FROM user_sessions WHERE token_hash = sha256(%s) AND closed_at IS NULL"
    assert await desk.value(newest, told["access_token"].encode()) == 1
    kept = "SELECT count(*) FROM refresh_tokens WHERE token_hash = sha256(%s) AND used_at IS NULL"
    assert await desk.value(kept, told["refresh_token"].encode()) == 1


async def test_a_used_token_that_comes_again_closes_the_whole_session_and_is_audited(
    http: httpx.AsyncClient, desk: Desk, newcomer: Person
) -> None:
    stolen = await login(http, newcomer)
    renewed = (await renew(http, stolen["refresh_token"])).json()
    answer = await renew(http, stolen["refresh_token"])
    assert problem(answer)["detail"].endswith("log in again with POST auth/login")
    assert answer.status_code == 401
    assert (await renew(http, renewed["refresh_token"])).status_code == 401
    assert not await is_let_in(http, renewed["access_token"])
    assert (await renew(http, stolen["refresh_token"])).status_code == 401
    assert (await desk.audited(newcomer.user_id)).count("auth.refresh_reused") == 1
    assert await is_let_in(http, newcomer.token)  # another session of the same person


async def test_of_many_renewals_at_once_one_gets_through_and_the_session_is_closed(
    http: httpx.AsyncClient, newcomer: Person
) -> None:
    told = await login(http, newcomer)
    answers = await asyncio.gather(*(renew(http, told["refresh_token"]) for _ in range(6)))
    assert sorted(answer.status_code for answer in answers) == [200] + [401] * 5
    assert not await is_let_in(http, told["access_token"])


async def test_logout_ends_the_refresh_token_too(http: httpx.AsyncClient, desk: Desk, newcomer: Person) -> None:
    told = await login(http, newcomer)
    await http.post("/auth/logout", headers={"Authorization": f"Bearer {told['access_token']}"})
    assert (await renew(http, told["refresh_token"])).status_code == 401
    assert "auth.refresh_reused" not in await desk.audited(newcomer.user_id)


async def test_a_renewed_token_has_the_role_of_today(http: httpx.AsyncClient, desk: Desk, newcomer: Person) -> None:
    told = await login(http, newcomer)
    await desk.value("UPDATE users SET role = 'admin' WHERE user_id = %s RETURNING 1", newcomer.user_id)
    renewed = (await renew(http, told["refresh_token"])).json()
    headers = {"Authorization": f"Bearer {renewed['access_token']}"}
    body = {"username": f"{newcomer.username}-2", "password": PASSWORD}
    assert (await http.post("/users", json=body, headers=headers)).status_code == 201


@pytest.mark.parametrize("token", ["lwr_nonsense", "x", "é"])
async def test_an_unknown_token_renews_nothing(http: httpx.AsyncClient, token: str) -> None:
    assert problem(await renew(http, token))["status"] == 401


@pytest.mark.parametrize("body", [{}, {"refresh_token": ""}, {"refresh_token": "x" * 201}, {"refresh_token": None}])
async def test_a_malformed_renewal_is_422(http: httpx.AsyncClient, body: dict[str, Any]) -> None:
    assert problem(await http.post("/auth/refresh-token", json=body))["status"] == 422
