"""Answers kept under the generation of what they tell: as current as if they had been asked for, and cheaper."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Final, TypeVar
from uuid import UUID

from pydantic import TypeAdapter

from api.cached import look_up
from schemas import clock
from schemas.accounts import Caller
from schemas.settings_store import CacheSettings
from schemas.telemetry import CACHE_LOOKUPS, GENERATION_QUERIES, GENERATIONS_ASKED
from storage import generations, sessions
from storage.cache import Cache
from storage.database import Database
from storage.generations import Generation
from web.callers import Session

Answer = TypeVar("Answer")

_END: Final = TypeAdapter(datetime)


class CurrentAnswers:
    """Values that are never wrong under their key, because the generation is part of it; None keeps nothing.

    The generation must have been read before what is made: then a value may be newer than its key and never older.
    """

    def __init__(self, cache: Cache) -> None:
        self._cache = cache

    async def get(
        self,
        what: str,
        key: str,
        generation: UUID | str | None,
        lifetime_s: float,
        kind: TypeAdapter[Answer],
        make: Callable[[], Awaitable[Answer]],
    ) -> Answer:
        """The answer kept under `key` and `generation`, else one that is made now. Raises what `make` raises."""
        if generation is None or lifetime_s <= 0:
            CACHE_LOOKUPS.labels(what, "off").inc()
            return await make()
        whole = f"{what}:{key}:{generation}"
        known = await look_up(self._cache, what, whole, kind)
        if known is not None:
            return known
        made = await make()
        await self._cache.set(whole, kind.dump_json(made), lifetime_s)
        return made


class Generations:
    """What is current, asked of the database at each request; who asks while a question is out shares the next one.

    So no answer is older than its request, and under load one query serves many.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._waiting: dict[UUID, list[asyncio.Future[Generation | None]]] = {}
        self._asking: asyncio.Task[None] | None = None

    async def of(self, user_id: UUID) -> Generation | None:
        """None for a user who does not exist. Raises Busy."""
        GENERATIONS_ASKED.inc()
        answer: asyncio.Future[Generation | None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(user_id, []).append(answer)
        if self._asking is None:
            self._asking = asyncio.create_task(self._ask())
        return await answer

    async def _ask(self) -> None:
        try:
            while self._waiting:
                waiting, self._waiting = self._waiting, {}
                await self._answer(waiting)
        finally:
            self._asking = None

    async def _answer(self, waiting: dict[UUID, list[asyncio.Future[Generation | None]]]) -> None:
        GENERATION_QUERIES.inc()
        answers = [answer for each in waiting.values() for answer in each]
        try:
            async with self._database.transaction() as conn:
                found = await generations.of_users(conn, waiting.keys())
        except Exception as error:  # noqa: BLE001  # each who asked raises it again
            for answer in answers:
                if not answer.done():
                    answer.set_exception(error)
            return
        for user_id, each in waiting.items():
            for answer in each:
                if not answer.done():  # one who went away
                    answer.set_result(found.get(user_id))


class Sessions:
    """Who has an open session: known for `session_s`, and asked for again once anything of the account has changed."""

    def __init__(self, database: Database, cache: Cache, settings: CacheSettings) -> None:
        self._database, self._cache, self._settings = database, cache, settings
        self._generations = Generations(database)

    async def session(self, caller: Caller) -> Session | None:
        """The caller's session if it is open now. Raises Busy."""
        generation = await self._generations.of(caller.user_id)
        if generation is None:
            return None
        ends = await self._ends(caller.session_id, generation)
        return Session(generation) if ends is not None and ends > clock.now() else None

    async def _ends(self, session_id: UUID, generation: Generation) -> datetime | None:
        """Only an open session is kept, and not beyond its end."""
        key = f"session:{session_id}:{generation.account}"
        if self._settings.session_s > 0:
            known = await look_up(self._cache, "session", key, _END)
            if known is not None:
                return known
        at = clock.now()
        async with self._database.transaction() as conn:
            ends = await sessions.open_until(conn, session_id, at)
        if ends is not None and self._settings.session_s > 0:
            lifetime = min(timedelta(seconds=self._settings.session_s), ends - at)
            await self._cache.set(key, _END.dump_json(ends), lifetime.total_seconds())
        return ends
