"""Device tokens seen a moment ago, so that a device that sends every second is not looked up every second."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from schemas.accounts import DeviceCaller
from schemas.errors import Busy

LookUp = Callable[[Collection[bytes]], Awaitable[Mapping[bytes, DeviceCaller]]]
"""The active device of each token hash that has one. Raises Busy."""

TTL_S: Final = 30.0
"""How long a token that was rotated or revoked through another gateway process is still good here."""

MAX_TOKENS: Final = 20_000


@dataclass(frozen=True, slots=True)
class _Known:
    caller: DeviceCaller
    until_s: float


@dataclass(frozen=True, slots=True)
class _Answer:
    caller: DeviceCaller | None
    failure: Busy | None


class DeviceCache:
    """Answers for `TTL_S` from memory, else from `look_up`; at most `MAX_TOKENS`, the oldest go first.

    One look-up runs at a time and takes along all that were asked for meanwhile: after a restart every device
    comes back within a second (measured: 1,000 single look-ups take longer than devices wait to connect).
    Only tokens that are good are kept, so guesses neither fill it nor outlive a registration.
    """

    def __init__(
        self, look_up: LookUp, clock_s: Callable[[], float], *, ttl_s: float = TTL_S, max_tokens: int = MAX_TOKENS
    ) -> None:
        self._look_up, self._clock_s = look_up, clock_s
        self._ttl_s, self._max_tokens = ttl_s, max_tokens
        self._known: OrderedDict[bytes, _Known] = OrderedDict()
        self._asked: dict[bytes, asyncio.Future[_Answer]] = {}
        self._asking: asyncio.Task[None] | None = None

    async def by_token(self, token_hash: bytes) -> DeviceCaller | None:
        """The active device whose token has this hash. Raises Busy when it can't be looked up."""
        known = self._known.get(token_hash)
        if known is not None and known.until_s > self._clock_s():
            return known.caller
        self._known.pop(token_hash, None)
        if token_hash not in self._asked:
            self._asked[token_hash] = asyncio.get_running_loop().create_future()
        answering = self._asked[token_hash]
        if self._asking is None:
            self._asking = asyncio.create_task(self._ask())
        answer = await asyncio.shield(answering)  # one caller who goes away leaves the others their answer
        if answer.failure is not None:
            raise answer.failure
        return answer.caller

    def forget(self, device_id: UUID) -> None:
        """Look this device up again: its token has changed."""
        stale = [token for token, known in self._known.items() if known.caller.device_id == device_id]
        for token in stale:
            del self._known[token]

    async def _ask(self) -> None:
        try:
            while self._asked:
                asked, self._asked = self._asked, {}
                await self._answer(asked)
        finally:
            self._asking = None

    async def _answer(self, asked: dict[bytes, asyncio.Future[_Answer]]) -> None:
        found: Mapping[bytes, DeviceCaller] = {}
        failure: Busy | None = Busy("the gateway stopped while it looked up a token; try again")
        try:
            found = await self._look_up(asked)
            failure = None
        except Busy as error:
            failure = error
        finally:
            for token, future in asked.items():
                future.set_result(_Answer(found.get(token), failure))
        self._keep(found)

    def _keep(self, found: Mapping[bytes, DeviceCaller]) -> None:
        until_s = self._clock_s() + self._ttl_s
        self._known.update((token, _Known(caller, until_s)) for token, caller in found.items())
        while len(self._known) > self._max_tokens:
            self._known.popitem(last=False)
