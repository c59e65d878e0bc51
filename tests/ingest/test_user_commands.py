"""leadwire user: what an operator does without the gateway, and how it shows there."""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner, Result

from leadwire.commands import accounts
from schemas.errors import Misconfigured, NotFound
from schemas.settings import Settings
from tests.ingest.desk import PASSWORD, Desk, Person

pytestmark = pytest.mark.embedded

NEW_PASSWORD = "another correct horse"


@pytest.fixture
def command(settings: Settings) -> Callable[..., Awaitable[Result]]:
    """Run `leadwire user …` in another thread's event loop, with something on its standard input."""
    assert settings

    async def run(*words: str, typed: str = "") -> Result:
        return await asyncio.to_thread(CliRunner().invoke, accounts.app, list(words), input=typed)

    return run


async def can_log_in(http: Any, username: str, password: str) -> bool:
    answer = await http.post("/auth/login", json={"username": username, "password": password})
    return bool(answer.status_code == 200)


async def test_another_password_is_read_from_a_pipe_and_ends_all_sessions(
    command: Any, http: Any, desk: Desk, newcomer: Person
) -> None:
    done = await command("set-password", newcomer.username, typed=f"{NEW_PASSWORD}\n")
    assert done.output == f"{newcomer.username} has another password; 1 sessions ended\n"
    assert (await http.post("/auth/logout", headers=newcomer.headers)).status_code == 401
    assert await can_log_in(http, newcomer.username, NEW_PASSWORD)
    assert not await can_log_in(http, newcomer.username, PASSWORD)
    assert "user.set_password" in await desk.audited(newcomer.user_id)


async def test_or_from_the_first_line_of_a_file(command: Any, http: Any, newcomer: Person, tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text(f"{NEW_PASSWORD}\nnot this\n")
    done = await command("set-password", newcomer.username, "--password-file", str(file))
    assert done.exit_code == 0
    assert await can_log_in(http, newcomer.username, NEW_PASSWORD)


def test_on_a_terminal_it_is_asked_for_twice_without_echo(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    def prompt(_: str, *, hide_input: bool, confirmation_prompt: bool) -> str:
        return NEW_PASSWORD if hide_input and confirmation_prompt else "shown to everybody"

    monkeypatch.setattr("sys.stdin", Terminal())
    monkeypatch.setattr(typer, "prompt", prompt)
    assert accounts._password(None) == NEW_PASSWORD


@pytest.mark.parametrize("typed", ["", "short\n", "x" * 1025])
async def test_a_password_that_is_none_changes_nothing(command: Any, http: Any, newcomer: Person, typed: str) -> None:
    done = await command("set-password", newcomer.username, typed=typed)
    assert isinstance(done.exception, Misconfigured)
    assert str(done.exception).endswith("give one of 8 to 1024")
    assert await can_log_in(http, newcomer.username, PASSWORD)


async def test_a_file_that_is_not_there_is_told(command: Any, tmp_path: Path) -> None:
    done = await command("set-password", "anyone", "--password-file", str(tmp_path / "none"))
    assert isinstance(done.exception, Misconfigured)


async def test_logout_ends_all_sessions_of_a_user(command: Any, http: Any, desk: Desk, newcomer: Person) -> None:
    done = await command("logout", newcomer.username.upper())
    assert done.output.startswith("1 sessions of ")
    assert (await http.post("/auth/logout", headers=newcomer.headers)).status_code == 401
    assert await can_log_in(http, newcomer.username, PASSWORD)
    assert "user.logout" in await desk.audited(newcomer.user_id)


@pytest.mark.parametrize("words", [("logout", "nobody-at-all"), ("set-password", "nobody-at-all")])
async def test_nobody_is_told_with_the_remedy(command: Any, words: tuple[str, str]) -> None:
    done = await command(*words, typed=f"{NEW_PASSWORD}\n")
    assert isinstance(done.exception, NotFound)
    assert "leadwire user list" in str(done.exception)


async def test_everybody_is_listed_without_a_secret(command: Any, newcomer: Person) -> None:
    lines = (await command("list")).output.splitlines()
    assert next(line for line in lines if newcomer.username in line).split()[1] == "user"
    told = json.loads((await command("list", "--json")).output)["users"]
    mine = next(user for user in told if user["username"] == newcomer.username)
    assert (mine["role"], mine["is_active"]) == ("user", True)
    assert "password_hash" not in mine


async def test_the_first_admin_gets_a_made_up_password_that_works(command: Any, http: Any) -> None:
    told = (await command("create", "the-first", "--admin")).output
    assert told.startswith("user the-first (admin), password ")
    assert await can_log_in(http, "the-first", told.split()[-1])
