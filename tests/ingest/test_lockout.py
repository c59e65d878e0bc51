"""The lock-out: guesses end, alike for names that exist and names that don't; and registration can be closed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from uuid import uuid4

import httpx
import pytest

from schemas.settings import RateSettings, Settings
from storage.counts import MemoryCounts
from tests.ingest.desk import PASSWORD, UNLIMITED, Person, problem, serving
from tests.ingest.test_profile import change
from web import tokens
from web.limits import Limits

pytestmark = pytest.mark.embedded

GUESS = "a wrong guess"


@pytest.fixture
async def strict(settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    """A gateway that locks a name after three wrong passwords."""
    rates = RateSettings.model_validate({**UNLIMITED.model_dump(), "lockout": "3 per 15 minutes"})
    async with serving(settings, settings.kafka, limits=Limits(rates, MemoryCounts())) as client:
        yield client


@pytest.fixture
def hashes(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is hashed from now on, in its order."""
    counted: list[str] = []
    verify = tokens._verify

    def counting(password: str, password_hash: str | None) -> bool:
        counted.append(password)
        return verify(password, password_hash)

    monkeypatch.setattr(tokens, "_verify", counting)
    return counted


async def log_in(http: httpx.AsyncClient, username: str, password: str) -> httpx.Response:
    return await http.post("/auth/login", json={"username": username, "password": password})


@pytest.mark.parametrize("exists", [True, False])
async def test_a_name_is_locked_after_its_wrong_passwords_whether_it_exists_or_not(
    strict: httpx.AsyncClient, newcomer: Person, hashes: list[str], exists: bool
) -> None:
    username = newcomer.username if exists else f"nobody-{uuid4()}"
    answers = [await log_in(strict, username, GUESS) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [401, 401, 401, 429]
    assert int(answers[3].headers["retry-after"]) in range(890, 901)
    assert problem(answers[3])["detail"].startswith("too many wrong passwords for this user name; try again in ")
    assert len(hashes) == 3  # one for each that was looked at, and none for the one that was not


async def test_not_even_the_right_password_opens_a_locked_name(strict: httpx.AsyncClient, newcomer: Person) -> None:
    for case in (str.upper, str.lower, str.title):
        await log_in(strict, case(newcomer.username), GUESS)
    assert (await log_in(strict, newcomer.username, PASSWORD)).status_code == 429


async def test_the_right_password_in_time_forgives_the_wrong_ones(strict: httpx.AsyncClient, newcomer: Person) -> None:
    passwords = (GUESS, GUESS, PASSWORD, GUESS, GUESS, PASSWORD)
    codes = [(await log_in(strict, newcomer.username, password)).status_code for password in passwords]
    assert codes == [401, 401, 200, 401, 401, 200]


async def test_a_wrong_current_password_counts_like_one_of_a_login(strict: httpx.AsyncClient, newcomer: Person) -> None:
    codes = [(await change(strict, newcomer, GUESS)).status_code for _ in range(4)]
    assert codes == [403, 403, 403, 429]
    assert (await log_in(strict, newcomer.username, PASSWORD)).status_code == 429


@pytest.mark.parametrize("who", ["somebody", "nobody", "somebody inactive"])
async def test_every_login_costs_one_hash(
    http: httpx.AsyncClient, newcomer: Person, hashes: list[str], who: str
) -> None:
    username = f"nobody-{uuid4()}" if who == "nobody" else newcomer.username
    await log_in(http, username, GUESS)
    assert hashes == [GUESS]


async def test_a_closed_registration_is_403_with_the_remedy(settings: Settings, newcomer: Person) -> None:
    closed = settings.security.model_copy(update={"registration": "closed"})
    async with serving(settings, settings.kafka) as client:
        app = client._transport.app  # type: ignore[attr-defined]  # httpx's ASGITransport keeps it there
        app.state.rooms = replace(app.state.rooms, security=closed)
        answer = await client.post("/auth/register", json={"username": "late", "password": PASSWORD})
        assert problem(answer)["status"] == 403
        assert "ask one for an account (POST users)" in answer.text
        assert (await log_in(client, newcomer.username, PASSWORD)).status_code == 200
