"""An open load: requests leave when they are due, and their latency counts from then, however busy the server is."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from bench.api.wire import Answer, Connection

_PATIENCE_S: Final = 10.0
"""How long is waited after the last request for what is not answered yet; after that it counts as unanswered."""


@dataclass(frozen=True, slots=True)
class Call:
    """One request, and what it is counted under."""

    kind: str
    data: bytes


@dataclass(slots=True)
class Outcome:
    """What came of a load; latencies in seconds from the moment each request was due."""

    latency_s: dict[str, list[float]] = field(default_factory=dict)
    statuses: Counter[tuple[str, int]] = field(default_factory=Counter)
    late_s: list[float] = field(default_factory=list)
    """How long after it was due each request left: the generator's own fault when it is large."""

    def note(self, kind: str, status: int, seconds: float) -> None:
        self.statuses[kind, status] += 1
        self.latency_s.setdefault(kind, []).append(seconds)

    def report(self) -> dict[str, Any]:
        """All kinds together, and each."""
        every = [one for latencies in self.latency_s.values() for one in latencies]
        by_status: Counter[str] = Counter()
        for (_, status), count in self.statuses.items():
            by_status[str(status)] += count
        return {
            "requests": len(every),
            "statuses": dict(sorted(by_status.items())),
            **percentiles_ms(every),
            "sent_late_p99_ms": percentiles_ms(self.late_s).get("p99_ms"),
            "kinds": {kind: self._kind(kind) for kind in sorted(self.latency_s)},
        }

    def _kind(self, kind: str) -> dict[str, Any]:
        statuses = {str(status): count for (of, status), count in sorted(self.statuses.items()) if of == kind}
        return {"statuses": statuses, **percentiles_ms(self.latency_s[kind])}


def percentiles_ms(seconds: list[float]) -> dict[str, float]:
    """p50, p95, p99 and the largest, in ms; {} of nothing."""
    if not seconds:
        return {}
    told = np.percentile(np.asarray(seconds) * 1000, [50, 95, 99, 100])
    return dict(zip(("p50_ms", "p95_ms", "p99_ms", "max_ms"), (round(float(one), 2) for one in told), strict=True))


class Load:
    """A constant rate of calls over a few connections from one address."""

    def __init__(self, port: int, source: str, connections: int) -> None:
        self._port, self._source, self._count = port, source, connections
        self._connections: list[Connection] = []

    async def run(self, calls: Iterator[Call], rate: float, seconds: float) -> Outcome:
        """Send `rate` calls a second for so long. Whatever is not answered 10 s later has status 0."""
        outcome, loop = Outcome(), asyncio.get_running_loop()
        await self._connect()
        pending: set[asyncio.Future[Answer]] = set()
        start = loop.time()
        for number in range(int(rate * seconds)):
            due = start + number / rate
            if (wait := due - loop.time()) > 0:
                await asyncio.sleep(wait)
            elif number % 64 == 0:  # behind: let answers be read all the same
                await asyncio.sleep(0)
            outcome.late_s.append(max(0.0, loop.time() - due))
            call = next(calls)
            answer = (await self._free()).send(call.data)
            answer.add_done_callback(_noting(outcome, call.kind, due, loop.time))
            pending.add(answer)
            answer.add_done_callback(pending.discard)
        await self._settle(pending)
        return outcome

    async def _settle(self, pending: set[asyncio.Future[Answer]]) -> None:
        if pending:
            await asyncio.wait(list(pending), timeout=_PATIENCE_S)
        for connection in self._connections:
            connection.close()
        await asyncio.sleep(0.05)  # what is still open ends with status 0

    async def _connect(self) -> None:
        self._connections = [await Connection.to(self._port, self._source) for _ in range(self._count)]

    async def _free(self) -> Connection:
        """The connection with the fewest requests on it; one that the server closed is made anew."""
        best = min(self._connections, key=_burden)
        if best.is_open:
            return best
        made = await Connection.to(self._port, self._source)
        self._connections[self._connections.index(best)] = made
        return made


def _burden(connection: Connection) -> int:
    return connection.waiting if connection.is_open else -1


def _noting(
    outcome: Outcome, kind: str, due: float, clock: Callable[[], float]
) -> Callable[[asyncio.Future[Answer]], None]:
    def note(answer: asyncio.Future[Answer]) -> None:
        if not answer.cancelled():
            outcome.note(kind, answer.result().status, clock() - due)

    return note
