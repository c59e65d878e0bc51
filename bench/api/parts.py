"""The four things that are measured, each on a server of its own."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from bench.api import lists, logins, traffic
from bench.api.endpoints import ROLES, Endpoint, endpoints
from bench.api.lists import Side
from bench.api.load import Load, Outcome
from bench.api.logins import token_of
from bench.api.month import Month
from bench.api.place import Place, Server
from bench.api.wire import Connection, request
from schemas.settings import RateSettings

UNLIMITED: Final = {str(field.validation_alias): "" for field in RateSettings.model_fields.values()}
"""Lists and logins are asked as fast as they answer, by one person; the other two parts run with the usual limits."""
MIXED_RATE: Final = 200.0
ABUSE_RATE: Final = 2000.0
NORMAL_RATE: Final = 5.0
ABUSER: Final = "127.0.0.3"
NEIGHBOUR: Final = "127.0.0.2"
_PEOPLE_OF_ROLE: Final = {"user": 30, "doctor": 10, "admin": 5}
_POST_METRICS: Final = "/api/v1/ecg/metrics"


@dataclass(frozen=True, slots=True)
class Wanted:
    """How much of everything."""

    month: Month
    has_peer: bool
    logins: int
    mixed_s: float
    abuse_s: float
    only: str = ""
    """Of the lists: those whose name holds this."""


async def measure_lists(place: Place, wanted: Wanted) -> dict[str, Any]:
    """Every list, ours beside the peer's."""
    server = place.serve(**UNLIMITED)
    peer = place.peer() if wanted.has_peer else None
    tokens = {role: await token_of(server, name) for role, name in _names(1).items()}
    ours = Side(server.port, tokens)
    theirs = Side(peer.port, tokens) if peer is not None else None
    asked = [one for one in await _endpoints(server, wanted.month) if wanted.only in one.name]
    rows = await lists.measure(ours, theirs, asked)
    for one in (server, peer):
        if one is not None:
            one.stop()
    return {"bar_p95_ms": lists.BAR_MS, "over_bar": [_name(row) for row in rows if not row["holds_bar"]], "rows": rows}


def _name(row: Mapping[str, Any]) -> str:
    return f"{row['endpoint']} ({row['role']}): {row['p95_ms']} ms, status {row['status']}"


async def measure_logins(place: Place, wanted: Wanted) -> dict[str, Any]:
    """Logins beside Argon2 alone."""
    server = place.serve(**UNLIMITED)
    told = await logins.measure(server, wanted.logins)
    server.stop()
    return told


async def measure_mixed(place: Place, wanted: Wanted) -> dict[str, Any]:
    """200 requests a second of all kinds."""
    server = place.serve()
    people = [_names(number) for number in range(1, max(_PEOPLE_OF_ROLE.values()) + 1)]
    tokens = {
        role: [await token_of(server, names[role]) for names in people[: _PEOPLE_OF_ROLE[role]]] for role in ROLES
    }
    asked = await _endpoints(server, wanted.month)
    for one in asked:  # once each: statistics are made for five minutes at a time, a minute is too short for those
        await _is_served(server, one, tokens[one.role][0])
    calls = traffic.mixed(asked, tokens, await _posts_metrics(server))
    told = await _loaded(server, Load(server.port, "127.0.0.1", 32).run(calls, MIXED_RATE, wanted.mixed_s))
    server.stop()
    return {"rate_per_s": MIXED_RATE, "seconds": wanted.mixed_s, **told}


async def measure_abuse(place: Place, wanted: Wanted) -> dict[str, Any]:
    """What a user notices of 2,000 bad requests a second from another address: first alone, then beside them."""
    server = place.serve()
    token, victim = await token_of(server, "user00001"), "user00099"
    own = [e for e in await _endpoints(server, wanted.month) if e.role == "user"]
    own = [e for e in own if await _is_served(server, e, token)]
    alone = await Load(server.port, NEIGHBOUR, 2).run(traffic.normal(own, token), NORMAL_RATE, wanted.abuse_s / 3)
    before = server.cpu_s()
    beside, abuse = await asyncio.gather(
        Load(server.port, NEIGHBOUR, 2).run(traffic.normal(own, token), NORMAL_RATE, wanted.abuse_s),
        Load(server.port, ABUSER, 64).run(traffic.abuse(victim), ABUSE_RATE, wanted.abuse_s),
    )
    share = (server.cpu_s() - before) / wanted.abuse_s
    server.stop()
    return {
        "abuse_per_s": ABUSE_RATE,
        "normal_per_s": NORMAL_RATE,
        "seconds": wanted.abuse_s,
        "normal_alone": alone.report(),
        "normal": beside.report(),
        "abuse": abuse.report(),
        "answered_429": sum(count for (_, status), count in abuse.statuses.items() if status == 429),
        "server_core": round(share, 3),
    }


async def _loaded(server: Server, running: Any) -> dict[str, Any]:
    before = server.cpu_s()
    outcome: Outcome = await running
    seconds = server.cpu_s() - before
    bad = sum(count for (_, status), count in outcome.statuses.items() if status not in (200, 202, 201, 404, 403))
    requests = sum(outcome.statuses.values())
    return {"errors": bad, "server_cpu_ms_per_request": round(1000 * seconds / max(1, requests), 3), **outcome.report()}


async def _endpoints(server: Server, month: Month) -> Sequence[Endpoint]:
    return list(endpoints(await _document(server, "/api/v1/openapi.json"), month))


async def _posts_metrics(server: Server) -> bool:
    document = await _document(server, "/gateway/openapi.json")
    return "post" in document["paths"].get(_POST_METRICS, {})


async def _document(server: Server, target: str) -> dict[str, Any]:
    connection = await Connection.to(server.port)
    answer = await connection.send(request("GET", target))
    connection.close()
    told: dict[str, Any] = json.loads(answer.body)
    return told


async def _is_served(server: Server, endpoint: Endpoint, token: str) -> bool:
    connection = await Connection.to(server.port)
    answer = await connection.send(request("GET", endpoint.target, token))
    connection.close()
    return answer.status == 200


def _names(number: int) -> dict[str, str]:
    """Of the `number`th user, doctor and admin."""
    return {"user": f"user{number:05d}", "doctor": f"doctor{number}", "admin": f"admin{number}"}
