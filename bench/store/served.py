"""Random windows over HTTP: api and gateway on a port, asked as a dashboard or a program asks."""

from __future__ import annotations

import os
import secrets
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import numpy as np

from bench.api.logins import token_of
from bench.api.month import PASSWORD
from bench.api.parts import UNLIMITED
from bench.api.place import Server as Served
from bench.api.wire import Connection
from bench.store.corpus import Window
from bench.store.servers import Server
from bench.store.timings import quantiles_ms
from leadwire.brokers import ensure_topics
from leadwire.children import Children, wait_until
from leadwire.embedded import Stack, free_port, is_listening, start_broker
from schemas.codec import decode_pack
from schemas.settings import Settings
from storage.accounts import NewUser, create_user
from storage.database import Database
from web import tokens

PROTOBUF: Final = "application/x-protobuf"
JSON: Final = "application/json"
_START_S: Final = 60.0
_ADMIN: Final = "bench-admin"


async def measure(writer: Database, server: Server, chosen: Sequence[Window], folder: Path) -> Mapping[str, Any]:
    """Windows as protobuf and as JSON, each over one connection. Raises ValueError for samples that differ."""
    await _register_admin(writer)
    with _serving(server, folder) as served:
        await ensure_topics(Settings().kafka)
        token = await token_of(served, _ADMIN)
        before_s = served.cpu_s()
        packed = await _ask_all(served.port, token, PROTOBUF, chosen, _check_pack)
        cpu_s = served.cpu_s() - before_s
        told = await _ask_all(served.port, token, JSON, chosen, _check_size)
    return {"protobuf": {**packed, "api_cpu_ms_each": round(1000 * cpu_s / len(chosen), 3)}, "json": told}


async def _register_admin(writer: Database) -> None:
    hashed = await tokens.hash_password(PASSWORD)
    async with writer.transaction() as conn:
        await conn.execute("DELETE FROM users WHERE username = %s", [_ADMIN])
        await create_user(conn, NewUser(_ADMIN, hashed, "admin"))


async def _ask_all(
    port: int, token: str, accept: str, chosen: Sequence[Window], check: Callable[[Window, bytes], None]
) -> dict[str, Any]:
    connection = await Connection.to(port)
    taken_s = []
    for window in (*chosen[:20], *chosen):  # the first few warm up
        started_s = time.perf_counter()
        answer = await connection.send(_request(window, token, accept))
        taken_s.append(time.perf_counter() - started_s)
        if answer.status != 200:
            raise ValueError(f"GET ecg/samples answered {answer.status}: {answer.body[:200]!r}")
        check(window, answer.body)
    connection.close()
    return quantiles_ms(taken_s[20:])


def _request(window: Window, token: str, accept: str) -> bytes:
    recording_id = window.held.recording.recording_id
    target = f"/api/v1/ecg/samples?recording_id={recording_id}&first_index={window.first}&end_index={window.end}"
    lines = (f"GET {target} HTTP/1.1", "Host: bench", f"Authorization: Bearer {token}", f"Accept: {accept}", "", "")
    return "\r\n".join(lines).encode()


def _check_pack(window: Window, body: bytes) -> None:
    samples = np.concatenate([block.samples for block in decode_pack(body)], axis=1)
    if not np.array_equal(samples, window.samples):
        raise ValueError(f"{window.held.name} [{window.first}, {window.end}) came back changed")


def _check_size(window: Window, body: bytes) -> None:
    """Every sample stands in the answer, so it has at least as many commas."""
    if body.count(b",") < window.samples.size - 1:
        raise ValueError(f"{window.held.name} [{window.first}, {window.end}) came back short")


@contextmanager
def _serving(server: Server, folder: Path) -> Iterator[Served]:
    """`leadwire serve` on that database, with a broker because the gateway wants one; the environment is put back."""
    before = dict(os.environ)
    with Children(folder / "logs") as children:
        broker = start_broker(children)
        wait_until(lambda: is_listening(broker.address), broker.child, within_s=_START_S)
        (folder / "objects").mkdir(parents=True, exist_ok=True)
        port = free_port()
        stack = Stack(broker.address, True, server.url, "", "", "", folder / "objects", children)
        try:
            os.environ.update(_environment(stack, port))
            child = children.start("serve", [sys.executable, "-m", "leadwire", "serve", "--port", str(port)])
            wait_until(lambda: is_listening(f"127.0.0.1:{port}"), child, within_s=_START_S)
            yield Served(stack, child, port)
        finally:
            os.environ.clear()
            os.environ.update(before)


def _environment(stack: Stack, port: int) -> dict[str, str]:
    """One login for both sides: the api steps down to its role by itself."""
    given = {name: value for name, value in stack.env().items() if "READER" not in name and "AUDITOR" not in name}
    for name in (*os.environ,):
        if "READER_" in name or "AUDITOR_" in name:
            os.environ.pop(name)
    ours = {"SECRET_KEY": secrets.token_hex(32), "LEADWIRE_PUBLIC_URL": f"http://127.0.0.1:{port}"}
    return given | UNLIMITED | ours | {"LOG_LEVEL": "WARNING", "DATABASE_POOL_SIZE": "4", "DATABASE_MAX_OVERFLOW": "0"}
