"""Limits: how often a caller may try something before they are asked to wait."""

from __future__ import annotations

import hashlib
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from ipaddress import IPv6Address, ip_address
from typing import Final, Literal

from limits import RateLimitItem, parse
from starlette.types import Scope

from schemas.errors import Busy, TooFast
from schemas.settings import RateSettings
from schemas.telemetry import REQUESTS_LIMITED
from storage.counts import BoundedStorage, Counts, MemoryCounts

Attempt = Literal["lockout", "logins", "registrations", "refreshes"]
"""What is counted for all processes together: guesses at secrets."""

Work = Literal["requests", "anonymous", "samples"]
"""What each process counts for itself: the work it is asked to do. A count elsewhere would cost more than the work."""

_TOLD: Final = {
    "lockout": "too many wrong passwords for this user name",
    "logins": "too many logins from your address",
    "registrations": "too many registrations from your address",
    "refreshes": "too many renewals from your address",
    "failed_tokens": "too many tokens that are not valid from your address",
    "requests": "too many requests in your session",
    "anonymous": "too many requests without a token from your address",
    "samples": "too many requests of this device",
}


class Limits:
    """The limits of an application. What is over one raises TooFast, which says for how long to wait."""

    def __init__(self, rates: RateSettings, shared: Counts, clock_s: Callable[[], float] = time.monotonic) -> None:
        self._rates: dict[str, RateLimitItem] = {name: parse(text) for name, text in rates.model_dump().items() if text}
        self._shared, self._clock_s = shared, clock_s
        # One table for each, so that a flood of one kind pushes no counts of another out.
        self._here = {name: MemoryCounts(clock_s) for name in ("requests", "anonymous", "samples")}
        self._barred = BoundedStorage(clock_s)

    def request(self, kind: Work, key: str) -> None:
        """Count a request."""
        rate = self._rates.get(kind)
        if rate is not None:
            _refuse(kind, self._here[kind].hit_now(rate, key))

    async def attempt(self, kind: Attempt, key: str) -> None:
        """Count an attempt, before it is known whether it succeeds: of many at once none slips through."""
        rate = self._rates.get(kind)
        if rate is not None:
            _refuse(kind, await self._shared.hit(rate, f"{kind}/{key}"))

    @asynccontextmanager
    async def guess(self, account: str) -> AsyncIterator[None]:
        """One password for a user name. Good unless the block raises; Busy is nobody's guess and is not counted."""
        await self.attempt("lockout", account)
        try:
            yield
        except Busy:
            await self._take_back("lockout", account)
            raise
        await self.forgive("lockout", account)

    async def forgive(self, kind: Attempt, key: str) -> None:
        """Forget the attempts: the last one has succeeded."""
        rate = self._rates.get(kind)
        if rate is not None:
            await self._shared.forget(rate, f"{kind}/{key}")

    async def _take_back(self, kind: Attempt, key: str) -> None:
        rate = self._rates.get(kind)
        if rate is not None:
            await self._shared.take_back(rate, f"{kind}/{key}")

    async def token_failed(self, address: str) -> None:
        """Count a token that nobody has; over the rate, the address is barred until the count is forgotten."""
        rate = self._rates.get("failed_tokens")
        if rate is None or self._barred.get(address):
            return
        wait_s = await self._shared.hit(rate, f"failed_tokens/{address}")
        if wait_s is not None:
            self._barred.incr(address, wait_s)

    def is_barred(self, address: str) -> bool:
        """Whether bad tokens from there are refused unseen."""
        return self._barred.get(address) > 0

    def refuse_token(self, address: str) -> None:
        """Raise TooFast for another bad token of a barred address."""
        _refuse("failed_tokens", max(1, round(self._barred.get_expiry(address) - self._clock_s())))

    async def close(self) -> None:
        """Let go of the server that counts."""
        await self._shared.close()


def address_key(scope: Scope) -> str | None:
    """Whom an address counts as: itself, and of IPv6 its /64 network, which is one customer's. None without one."""
    client = scope.get("client")
    if not client:
        return None
    host = str(client[0])
    if ":" not in host:
        return host
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        return host
    if not isinstance(address, IPv6Address):
        return host
    return str(address.ipv4_mapped or IPv6Address(int(address) >> 64 << 64))


def account_key(username: str) -> str:
    """Whom a user name counts as, letter case aside and whether there is such a user or not."""
    return hashlib.sha256(username.lower().encode()).hexdigest()


def _refuse(kind: str, wait_s: int | None) -> None:
    if wait_s is None:
        return
    REQUESTS_LIMITED.labels(kind).inc()
    raise TooFast(f"{_TOLD[kind]}; try again in {wait_s} s", wait_s)
