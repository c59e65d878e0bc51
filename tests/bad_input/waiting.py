"""Waiting for what another process does, with a deadline."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable

_POLL_S = 0.05


async def wait_until(true: Callable[[], bool | Awaitable[bool]], what: str, within_s: float = 20.0) -> None:
    """Return as soon as `true` says so. Raises AssertionError that says what did not come, after `within_s`."""
    try:
        async with asyncio.timeout(within_s):
            while not await _answer(true()):  # noqa: ASYNC110  # other processes tell it by what can be read of them only
                await asyncio.sleep(_POLL_S)
    except TimeoutError:
        raise AssertionError(f"{what} did not come within {within_s:g} s") from None


async def _answer(told: bool | Awaitable[bool]) -> bool:
    return await told if inspect.isawaitable(told) else told
