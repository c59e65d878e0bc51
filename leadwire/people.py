"""People without the gateway: the first admin, a forgotten password, a lost laptop."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from schemas.accounts import Role, User
from schemas.clock import now
from schemas.errors import NotFound
from schemas.pages import MAX_LIMIT, PageRequest
from schemas.settings import RateSettings, Settings
from schemas.settings_store import CacheSettings, DatabaseSettings
from storage import accounts, audit, profiles, sessions
from storage.access import everything
from storage.accounts import NewUser
from storage.counts import counts
from storage.database import Connection, Database, writer
from web.limits import Limits, account_key
from web.tokens import hash_password


async def create_user(settings: Settings, username: str, password: str, role: Role, full_name: str | None) -> User:
    """The new user. Raises Duplicate for a name that is taken, Busy when the database is away."""
    hashed = await hash_password(password)
    async with _open(settings.database) as database, database.transaction() as connection:
        user = await accounts.create_user(connection, NewUser(username, hashed, role, full_name=full_name))
        await audit.append(connection, "leadwire user create", "user.create", f"user:{user.user_id}", None, now())
    return user


async def set_password(settings: Settings, username: str, password: str) -> int:
    """Another password, and the end of all the user's sessions: how many there were. Raises NotFound, Busy.

    With LEADWIRE_REDIS_URL a lock-out ends too; without it that is in the gateway's memory, and ends by itself.
    """
    hashed, at = await hash_password(password), now()
    async with _open(settings.database) as database, database.transaction() as connection:
        user = await _named(connection, username)
        await profiles.set_password(connection, user.user_id, hashed)
        ended = await sessions.close_all(connection, user.user_id, at)
        subject, detail = str(user.user_id), f"{ended} sessions ended"
        await audit.append(
            connection, "leadwire user set-password", "user.set_password", subject, None, at, detail=detail
        )
    await _end_lockout(settings.rates, settings.cache, user.username)
    return ended


async def log_out(settings: Settings, username: str) -> int:
    """End all sessions of a user: how many there were. Raises NotFound, Busy."""
    at = now()
    async with _open(settings.database) as database, database.transaction() as connection:
        user = await _named(connection, username)
        ended = await sessions.close_all(connection, user.user_id, at)
        subject, detail = str(user.user_id), f"{ended} sessions ended"
        await audit.append(connection, "leadwire user logout", "user.logout", subject, None, at, detail=detail)
    return ended


async def list_users(settings: Settings) -> list[User]:
    """Everybody, by name. Raises Busy."""
    found: list[User] = []
    async with _open(settings.database) as database, database.transaction() as connection:
        while True:
            page = PageRequest(len(found) // MAX_LIMIT + 1, MAX_LIMIT)
            answer = await accounts.list_users(connection, everything(), page)
            found += answer.items
            if len(answer.items) < MAX_LIMIT:
                return found


@asynccontextmanager
async def _open(settings: DatabaseSettings) -> AsyncIterator[Database]:
    database = writer(settings)
    await database.open()
    try:
        yield database
    finally:
        await database.close()


async def _named(connection: Connection, username: str) -> User:
    found = await accounts.credentials(connection, username)
    if found is None:
        raise NotFound(f"no user is called {username!r}; list them with `leadwire user list`")
    return found.user


async def _end_lockout(rates: RateSettings, cache: CacheSettings, username: str) -> None:
    limits = Limits(rates, counts(cache))
    try:
        await limits.forgive("lockout", account_key(username))
    finally:
        await limits.close()
