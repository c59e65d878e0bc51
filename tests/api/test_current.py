"""Nothing that is kept is ever older than the request: whoever wrote, and whether Redis is there or not."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID, uuid4

import httpx
import pytest
from fastapi import FastAPI
from pydantic import TypeAdapter

from api.app import create_api
from api.current import CurrentAnswers, Generations
from schemas import clock
from schemas.accounts import Caller, Role, User
from schemas.settings import Settings
from storage import account_changes, accounts, care, profiles, reports, sessions
from storage.access import everything
from storage.accounts import NewUser
from storage.cache import LayeredCache, MemoryCache
from storage.database import Connection, Database
from storage.reports import FinishedReport
from tests.api.ward import Ward
from tests.servers.redis import RedisAddress
from web import tokens

NOBODY = "redis://127.0.0.1:1/0"


@dataclass(frozen=True, slots=True)
class Visitor:
    """Somebody who is logged in, a patient with a report, and their doctor."""

    user: User
    session_id: UUID
    report_id: UUID
    doctor: User

    def headers(self, settings: Settings) -> dict[str, str]:
        return _headers(self.user, self.session_id, settings)


def _headers(user: User, session_id: UUID, settings: Settings) -> dict[str, str]:
    caller = Caller(user.user_id, user.username, user.role, session_id)
    return {"Authorization": f"Bearer {tokens.issue(caller, settings.security, clock.now())}"}


async def _log_in(conn: Connection, user: User) -> UUID:
    session_id = uuid4()
    until = clock.now() + timedelta(hours=1)
    await sessions.open_session(conn, session_id, user.user_id, session_id.bytes, None, None, until)
    return session_id


async def _user(conn: Connection, role: Role) -> User:
    return await accounts.create_user(conn, NewUser(f"current-{uuid4()}", "x", role))


async def _report(conn: Connection, user_id: UUID, ward: Ward) -> UUID:
    report_id = uuid4()
    device_id = ward.device.device_id
    await reports.request_report(conn, report_id, device_id, user_id, "r.pdf", None, None, None, clock.now())
    return report_id


@pytest.fixture
async def visitor(ward: Ward) -> Visitor:
    async with ward.database.transaction() as conn:
        user, doctor = await _user(conn, "user"), await _user(conn, "doctor")
        await care.assign(conn, user.user_id, doctor.user_id, clock.now())
        return Visitor(user, await _log_in(conn, user), await _report(conn, user.user_id, ward), doctor)


@pytest.fixture(params=[None, pytest.param("redis", marks=pytest.mark.redis), NOBODY], ids=["alone", "redis", "away"])
async def api(request: pytest.FixtureRequest, settings: Settings, ward: Ward) -> AsyncIterator[httpx.AsyncClient]:
    """An api of its own, which shares a Redis, or has none, or had one."""
    url = request.param
    if url == "redis":
        address: RedisAddress = request.getfixturevalue("redis_server")
        url = address.url
    async with _api(url) as client:
        yield client


@asynccontextmanager
async def _api(redis_url: str | None) -> AsyncIterator[httpx.AsyncClient]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LEADWIRE_REDIS_URL", redis_url or "")
        app: FastAPI = create_api(Settings())
        async with app.router.lifespan_context(app):
            transport = httpx.ASGITransport(app)
            async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
                yield client


Write = Callable[[Connection, Visitor], Awaitable[object]]


async def _close(conn: Connection, visitor: Visitor) -> None:
    await sessions.close_session(conn, visitor.session_id)


async def _close_all(conn: Connection, visitor: Visitor) -> None:
    await sessions.close_all(conn, visitor.user.user_id, clock.now())


async def _another_role(conn: Connection, visitor: Visitor) -> None:
    await account_changes.update_user(conn, visitor.user.user_id, {"role": "doctor"}, clock.now())


async def _inactive(conn: Connection, visitor: Visitor) -> None:
    await account_changes.update_user(conn, visitor.user.user_id, {"is_active": False}, clock.now())


async def _deleted(conn: Connection, visitor: Visitor) -> None:
    await account_changes.delete_user(conn, visitor.user.user_id, clock.now())


async def _by_hand(conn: Connection, visitor: Visitor) -> None:
    await conn.execute("DELETE FROM user_sessions WHERE session_id = %s", [visitor.session_id])


async def _erased(conn: Connection, visitor: Visitor) -> None:
    await conn.execute("DELETE FROM users WHERE user_id = %s", [visitor.user.user_id])


@pytest.mark.parametrize("write", [_close, _close_all, _another_role, _inactive, _deleted, _by_hand, _erased])
async def test_who_lost_their_session_is_refused_at_once(
    api: httpx.AsyncClient, settings: Settings, ward: Ward, visitor: Visitor, write: Write
) -> None:
    headers = visitor.headers(settings)
    assert [(await api.get("/api/v1/auth/me", headers=headers)).status_code for _ in range(2)] == [200, 200]
    async with ward.database.transaction() as conn:
        await write(conn, visitor)
    assert (await api.get("/api/v1/auth/me", headers=headers)).status_code == 401


async def _rename(conn: Connection, visitor: Visitor) -> None:
    await profiles.update_profile(conn, visitor.user.user_id, {"full_name": "Another"})


async def _by_an_admin(conn: Connection, visitor: Visitor) -> None:
    await account_changes.update_user(conn, visitor.user.user_id, {"full_name": "Another"}, clock.now())


@pytest.mark.parametrize("write", [_rename, _by_an_admin])
async def test_a_profile_is_as_it_was_last_written(
    api: httpx.AsyncClient, settings: Settings, ward: Ward, visitor: Visitor, write: Write
) -> None:
    headers = visitor.headers(settings)
    assert (await api.get("/api/v1/auth/me", headers=headers)).json()["full_name"] is None
    async with ward.database.transaction() as conn:
        await write(conn, visitor)
    assert (await api.get("/api/v1/auth/me", headers=headers)).json()["full_name"] == "Another"


async def _one_more(conn: Connection, visitor: Visitor) -> None:
    await reports.request_report(
        conn, uuid4(), await _device_of(conn, visitor), visitor.user.user_id, "s.pdf", None, None, None, clock.now()
    )


async def _device_of(conn: Connection, visitor: Visitor) -> UUID:
    query = "SELECT device_id FROM ecg_reports WHERE report_id = %s"
    row = await (await conn.execute(query, [visitor.report_id])).fetchone()
    assert row is not None
    return UUID(str(row[0]))


async def _finished(conn: Connection, visitor: Visitor) -> None:
    at = clock.now()
    finished = FinishedReport("reports/x.pdf", 4, "local", 72, None, None, None, None, None, at, at)
    await reports.finish_report(conn, visitor.report_id, finished)


async def _report_deleted(conn: Connection, visitor: Visitor) -> None:
    await reports.delete_report(conn, everything(), visitor.report_id, clock.now())


async def _given_away(conn: Connection, visitor: Visitor) -> None:
    query = "UPDATE ecg_reports SET user_id = %s WHERE report_id = %s"
    await conn.execute(query, [visitor.doctor.user_id, visitor.report_id])


def _shown(answer: httpx.Response) -> list[tuple[str, str]]:
    return sorted((item["report_id"], item["upload_status"]) for item in answer.json()["items"])


@pytest.mark.parametrize("write", [_one_more, _finished, _report_deleted, _given_away])
@pytest.mark.parametrize("who", ["patient", "doctor"])
async def test_a_list_of_reports_is_as_it_was_last_written(
    api: httpx.AsyncClient, settings: Settings, ward: Ward, visitor: Visitor, write: Write, who: str
) -> None:
    async with ward.database.transaction() as conn:
        session_id = await _log_in(conn, visitor.doctor)
    headers = visitor.headers(settings) if who == "patient" else _headers(visitor.doctor, session_id, settings)
    query = {"user_id": str(visitor.user.user_id)}
    before = [_shown(await api.get("/api/v1/ecg/reports", headers=headers, params=query)) for _ in range(2)]
    async with ward.database.transaction() as conn:
        await write(conn, visitor)
    after = _shown(await api.get("/api/v1/ecg/reports", headers=headers, params=query))
    assert before == [[(str(visitor.report_id), "pending")]] * 2
    assert after != before[0]


async def test_a_doctor_sees_a_patients_reports_from_the_first_to_the_last_moment_of_care(
    api: httpx.AsyncClient, settings: Settings, ward: Ward, visitor: Visitor
) -> None:
    async with ward.database.transaction() as conn:
        headers = _headers(visitor.doctor, await _log_in(conn, visitor.doctor), settings)
    shown = [_shown(await api.get("/api/v1/ecg/reports", headers=headers))]
    async with ward.database.transaction() as conn:
        await care.end_all(conn, visitor.user.user_id, clock.now())
    shown.append(_shown(await api.get("/api/v1/ecg/reports", headers=headers)))
    async with ward.database.transaction() as conn:
        await care.assign(conn, visitor.user.user_id, visitor.doctor.user_id, clock.now())
    shown.append(_shown(await api.get("/api/v1/ecg/reports", headers=headers)))
    assert [len(each) for each in shown] == [1, 0, 1]


async def test_nobody_is_shown_what_was_kept_for_another(
    api: httpx.AsyncClient, settings: Settings, ward: Ward, visitor: Visitor
) -> None:
    async with ward.database.transaction() as conn:
        stranger = await _user(conn, "user")
        headers = _headers(stranger, await _log_in(conn, stranger), settings)
    query = {"user_id": str(visitor.user.user_id)}
    mine = await api.get("/api/v1/ecg/reports", headers=visitor.headers(settings), params=query)
    theirs = await api.get("/api/v1/ecg/reports", headers=headers, params=query)
    assert (len(mine.json()["items"]), theirs.json()["items"]) == (1, [])


async def test_what_is_rolled_back_changes_nothing(ward: Ward, visitor: Visitor) -> None:
    kept = Generations(ward.database)
    before = await kept.of(visitor.user.user_id)
    async with ward.database.transaction() as conn, conn.transaction(force_rollback=True):
        await _rename(conn, visitor)
    assert await kept.of(visitor.user.user_id) == before


async def test_a_new_access_token_of_a_session_changes_nothing(ward: Ward, visitor: Visitor) -> None:
    kept = Generations(ward.database)
    before = await kept.of(visitor.user.user_id)
    async with ward.database.transaction() as conn:
        await sessions.note_token(conn, visitor.session_id, b"another")
    assert await kept.of(visitor.user.user_id) == before


async def test_who_reads_before_a_write_and_stores_after_it_harms_nobody(ward: Ward, visitor: Visitor) -> None:
    """The reader's old value lies under the old generation, where nobody looks any more."""
    kept, answers, kind = Generations(ward.database), CurrentAnswers(MemoryCache()), TypeAdapter(str)

    async def read_now() -> str:
        async with ward.database.transaction() as conn:
            return (await accounts.user(conn, everything(), visitor.user.user_id)).full_name or ""

    async def overtaken() -> str:
        read = await read_now()
        async with ward.database.transaction() as conn:
            await _rename(conn, visitor)
        return read

    def generation_of(found: object) -> object:
        return getattr(found, "account", None)

    old = generation_of(await kept.of(visitor.user.user_id))
    assert isinstance(old, UUID)
    assert await answers.get("profile", "k", old, 60, kind, overtaken) == ""
    new = generation_of(await kept.of(visitor.user.user_id))
    assert isinstance(new, UUID)
    assert await answers.get("profile", "k", new, 60, kind, read_now) == "Another"


async def test_many_who_ask_at_once_are_answered_by_few_queries(ward: Ward, visitor: Visitor) -> None:
    counting = Counting(ward.database)
    kept = Generations(counting)
    found = await asyncio.gather(*(kept.of(visitor.user.user_id) for _ in range(50)))
    assert ({each.user_id for each in found if each}, counting.transactions <= 2) == ({visitor.user.user_id}, True)


class Counting(Database):
    """Another database's transactions, counted."""

    def __init__(self, of: Database) -> None:
        self._of, self.transactions = of, 0

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        self.transactions += 1
        async with self._of.transaction() as conn:
            yield conn


async def test_a_second_process_finds_what_the_first_has_kept() -> None:
    far = MemoryCache()
    one, other = LayeredCache(MemoryCache(), far), LayeredCache(MemoryCache(), far)
    await one.set("k", b"value", 60)
    assert await other.get("k") == b"value"
    await far.delete("k")
    assert await other.get("k") == b"value"  # near by now


@pytest.mark.parametrize(
    ("ours", "seeds", "taken"), [("1", "2", "1"), ("", "2", "2"), (None, "2", "2"), ("1", None, "1")]
)
def test_both_names_of_the_redis_are_known(
    monkeypatch: pytest.MonkeyPatch, ours: str | None, seeds: str | None, taken: str
) -> None:
    for name, number in (("LEADWIRE_REDIS_URL", ours), ("REDIS_URL", seeds)):
        monkeypatch.delenv(name, raising=False)
        if number is not None:
            monkeypatch.setenv(name, number and f"redis://h/{number}")
    url = Settings().cache.redis_url
    assert url is not None
    assert url.get_secret_value() == f"redis://h/{taken}"
