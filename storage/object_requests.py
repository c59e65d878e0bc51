"""Object requests: blocking calls of a store's client, in threads of their own, asked again a few times."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar
from urllib.parse import urlsplit

from tenacity import (
    AsyncRetrying,
    retry_if_exception_type,
    stop_after_attempt,
    stop_after_delay,
    wait_random_exponential,
)

from schemas.errors import Busy, LeadwireError, Misconfigured

Answer = TypeVar("Answer")

CONNECTIONS: Final = 16
"""The most calls of one process to its store at a time."""
CONNECT_S: Final = 5
READ_S: Final = 30
PART_BYTES: Final = 8 * 2**20
"""A larger file goes up in parts of this size, each of which is tried again by itself: 10,000 of them, S3's most, are
78 GiB."""

_TRIES: Final = 4
_PATIENCE_S: Final = 10.0
"""A store that restarts is back within seconds; one that stays away is told as Busy, and the caller comes again."""


class Requests:
    """Asks the client of one store; `meaning` says what a failure of one of the types `failures` is to us."""

    def __init__(
        self, name: str, failures: tuple[type[Exception], ...], meaning: Callable[[Exception], LeadwireError]
    ) -> None:
        self._failures = failures
        self._meaning = meaning
        # Threads of our own: a store that hangs must not hold up what else this process does in threads.
        self._threads = ThreadPoolExecutor(CONNECTIONS, thread_name_prefix=name)

    async def ask(self, question: Callable[[], Answer]) -> Answer:
        """Ask up to _TRIES times, at moments of chance, so that many who wait don't come back together."""
        patiently = AsyncRetrying(
            retry=retry_if_exception_type(Busy),
            wait=wait_random_exponential(multiplier=0.2, max=2),
            stop=stop_after_attempt(_TRIES) | stop_after_delay(_PATIENCE_S),
            reraise=True,
        )
        return await patiently(self.ask_once, question)

    async def ask_once(self, question: Callable[[], Answer]) -> Answer:
        """Run a blocking call in a thread, and say what its failure means."""
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, question)
        except self._failures as error:
            raise self._meaning(error) from error


def base_url(given: str | None, setting: str, otherwise: str) -> str:
    """Where a server is, without a slash at its end. Raises Misconfigured."""
    url = (given or otherwise).rstrip("/")
    if urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).netloc:
        raise Misconfigured(f"{setting}={given} is no URL of http or https; write https://host, or leave it out")
    return url


def away(endpoint: str, error: Exception, settings: str) -> Busy:
    """The store does not answer; `settings` names what may be wrong."""
    return Busy(
        f"the object store at {endpoint} does not answer ({type(error).__name__}); see that it runs and {settings} "
        "right"
    )


def unwell(code: object) -> Busy:
    """The store answers that it can't do this now."""
    return Busy(f"the object store can't serve this now ({code}); try again")
