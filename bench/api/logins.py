"""What a login costs beside the verification of its password alone."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from typing import Any, Final

from bench.api.load import percentiles_ms
from bench.api.month import PASSWORD
from bench.api.place import SERVER_CORE, Server
from bench.api.wire import Connection, request

_BARE: Final = """
import json, os, sys, time
os.sched_setaffinity(0, {int(sys.argv[1])})
from argon2 import PasswordHasher
hasher = PasswordHasher()
hashed = hasher.hash(sys.argv[2])
taken = []
for _ in range(int(sys.argv[3])):
    started = time.perf_counter()
    hasher.verify(hashed, sys.argv[2])
    taken.append(time.perf_counter() - started)
print(json.dumps(taken))
"""
"""argon2-cffi by itself, on the core that the server is held to."""


def login(username: str) -> bytes:
    return request("POST", "/api/v1/auth/login", body={"username": username, "password": PASSWORD})


async def measure(server: Server, count: int) -> dict[str, Any]:
    """`count` logins of different users, one after the other, in four parts with the bare cost between them."""
    taken: list[float] = []
    bare: list[float] = []
    statuses: set[int] = set()
    part = -(-count // 4)
    for turn in range(4):
        bare += await asyncio.to_thread(_bare, part)
        connection = await Connection.to(server.port)  # the one before was quiet for too long, and is closed
        for number in range(turn * part, (turn + 1) * part):
            started = time.perf_counter()
            answer = await connection.send(login(f"user{number + 100:05d}"))
            taken.append(time.perf_counter() - started)
            statuses.add(answer.status)
        connection.close()
    ours, alone = percentiles_ms(taken), percentiles_ms(bare)
    over = {f"over_argon2_{name}": round(ours[name] - alone[name], 2) for name in ("p50_ms", "p95_ms")}
    return {"logins": len(taken), "statuses": sorted(statuses), **ours, "argon2_alone": alone, **over}


def _bare(count: int) -> list[float]:
    command = [sys.executable, "-c", _BARE, str(SERVER_CORE), PASSWORD, str(count)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    told: list[float] = json.loads(done.stdout)
    return told


async def token_of(server: Server, username: str) -> str:
    """An access token. Raises RuntimeError when the login is refused."""
    connection = await Connection.to(server.port)
    answer = await connection.send(login(username))
    connection.close()
    if answer.status != 200:
        raise RuntimeError(f"the login of {username} answered {answer.status}: {answer.body[:200]!r}")
    return str(json.loads(answer.body)["access_token"])
