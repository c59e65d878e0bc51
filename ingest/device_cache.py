"""Device tokens seen a moment ago, so that a device that sends every second is not looked up every second."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from schemas.accounts import DeviceCaller

TTL_S: Final = 30.0
"""How long a token that was rotated or revoked through another gateway process is still good here."""

MAX_TOKENS: Final = 20_000


@dataclass(frozen=True, slots=True)
class _Known:
    caller: DeviceCaller
    until_s: float


class DeviceCache:
    """Answers for `TTL_S` from memory, else from `look_up`; at most `MAX_TOKENS`, the oldest go first.

    Only tokens that are good are kept, so guesses neither fill it nor outlive a registration.
    """

    def __init__(
        self,
        look_up: Callable[[bytes], Awaitable[DeviceCaller | None]],
        clock_s: Callable[[], float],
        *,
        ttl_s: float = TTL_S,
        max_tokens: int = MAX_TOKENS,
    ) -> None:
        self._look_up, self._clock_s = look_up, clock_s
        self._ttl_s, self._max_tokens = ttl_s, max_tokens
        self._known: OrderedDict[bytes, _Known] = OrderedDict()

    async def by_token(self, token_hash: bytes) -> DeviceCaller | None:
        """The active device whose token has this hash. Raises what `look_up` raises."""
        known = self._known.get(token_hash)
        if known is not None and known.until_s > self._clock_s():
            return known.caller
        self._known.pop(token_hash, None)
        caller = await self._look_up(token_hash)
        if caller is not None:
            self._known[token_hash] = _Known(caller, self._clock_s() + self._ttl_s)
            while len(self._known) > self._max_tokens:
                self._known.popitem(last=False)
        return caller

    def forget(self, device_id: UUID) -> None:
        """Look this device up again: its token has changed."""
        stale = [token for token, known in self._known.items() if known.caller.device_id == device_id]
        for token in stale:
            del self._known[token]
