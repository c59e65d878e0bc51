"""How long each list takes, ours and the peer's in turn, and whether both give the same rows."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from bench.api.endpoints import Endpoint
from bench.api.load import percentiles_ms
from bench.api.wire import Answer, Connection, request

BAR_MS: Final = 20.0
_WARM: Final = 5
_LEAST, _MOST = 20, 200
_BUDGET_S, _CEILING_S = 0.8, 4.0
"""For each side of each endpoint and role: slow ones are asked less often, at least 20 times or for 4 s."""
_IDENTITY: Final = (
    "user_id", "device_id", "report_id", "metric_id", "recording_id", "alarm_id", "r_index", "first_r_index", "label",
)  # fmt: skip


@dataclass(slots=True)
class Side:
    """A server, and the token of each role there (the same ones: both check the same signature)."""

    port: int
    tokens: Mapping[str, str]
    _connection: Connection | None = None

    async def ask(self, endpoint: Endpoint) -> Answer:
        return await (await self.connected()).send(request("GET", endpoint.target, self.tokens[endpoint.role]))

    async def connected(self) -> Connection:
        """The one connection; servers close one that was quiet for 5 s, while the other side is asked."""
        if self._connection is None or not self._connection.is_open:
            self._connection = await Connection.to(self.port)
        return self._connection


async def measure(ours: Side, peer: Side | None, endpoints: Iterable[Endpoint]) -> list[dict[str, Any]]:
    """One row for each endpoint that answers the role with 200.

    One request after the other on one connection: the time is the server's own, with nothing in a queue before it.
    """
    rows: list[dict[str, Any]] = []
    for endpoint in endpoints:
        row = await _row(ours, peer, endpoint)
        if row is not None:
            rows.append(row)
            print(f"{row['endpoint']} ({row['role']}): p95 {row['p95_ms']} ms", file=sys.stderr, flush=True)
    return rows


async def _row(ours: Side, peer: Side | None, endpoint: Endpoint) -> dict[str, Any] | None:
    first = await ours.ask(endpoint)
    if first.status in (403, 404):
        return None
    row: dict[str, Any] = {"endpoint": endpoint.name, "role": endpoint.role, "status": first.status}
    row |= {"total": _body(first).get("total"), **await _timed(ours, endpoint)}
    row["holds_bar"] = first.status == 200 and row["p95_ms"] <= BAR_MS
    theirs = await peer.ask(endpoint) if peer is not None else Answer(0)
    if peer is not None and theirs.status == 200:
        row["same_rows"] = _identities(first) == _identities(theirs)
        row["peer"] = await _timed(peer, endpoint)
        row["times_as_fast"] = round(row["peer"]["p50_ms"] / row["p50_ms"], 2)
    return row


async def _timed(side: Side, endpoint: Endpoint) -> dict[str, Any]:
    warm_until = time.perf_counter() + _BUDGET_S
    for _ in range(_WARM):
        if time.perf_counter() < warm_until:
            await side.ask(endpoint)
    taken: list[float] = []
    begun = time.perf_counter()
    while _goes_on(len(taken), time.perf_counter() - begun):
        started = time.perf_counter()
        await side.ask(endpoint)
        taken.append(time.perf_counter() - started)
    return {"requests": len(taken), **percentiles_ms(taken)}


def _goes_on(count: int, passed_s: float) -> bool:
    return passed_s < (_CEILING_S if count < _LEAST else _BUDGET_S) and count < _MOST


def _body(answer: Answer) -> dict[str, Any]:
    told = json.loads(answer.body) if answer.body[:1] == b"{" else {}
    return told if isinstance(told, dict) else {}


def _identities(answer: Answer) -> tuple[object, list[dict[str, object]]]:
    """How many rows there are, and which are on this page in which order."""
    told = _body(answer)
    items = told.get("items", [])
    return told.get("total"), [{name: item[name] for name in _IDENTITY if name in item} for item in items]
