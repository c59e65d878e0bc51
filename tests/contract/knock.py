"""A WebSocket that only knocks: is it opened, closed, or refused?"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, Final

from starlette.types import ASGIApp, Message

_PATIENCE_S: Final = 10.0


async def knock(app: ASGIApp, path: str, headers: Mapping[str, str]) -> str:
    """`open` once it is accepted and not closed at once, the close code, or the status of the refusal."""
    said: asyncio.Queue[Message] = asyncio.Queue()
    heard: asyncio.Queue[Message] = asyncio.Queue()
    said.put_nowait({"type": "websocket.connect"})
    talking = asyncio.create_task(_talk(app, _scope(path, headers), said, heard))
    try:
        first = await asyncio.wait_for(heard.get(), _PATIENCE_S)
        if first["type"] != "websocket.accept":
            return str(first.get("status", first.get("code")))
        said.put_nowait({"type": "websocket.disconnect", "code": 1000})
        return await _after(talking, heard)
    finally:
        talking.cancel()


async def _talk(
    app: ASGIApp, scope: dict[str, Any], said: asyncio.Queue[Message], heard: asyncio.Queue[Message]
) -> None:
    await app(scope, said.get, heard.put)


async def _after(talking: asyncio.Task[None], heard: asyncio.Queue[Message]) -> str:
    """What is said to somebody who was let in and leaves: nothing, a greeting, or why they were not wanted."""
    await asyncio.wait([talking], timeout=_PATIENCE_S)
    while not heard.empty():
        message = heard.get_nowait()
        if message["type"] == "websocket.close" and message.get("code", 1000) >= 4000:
            return str(message["code"])
    return "open"


def _scope(path: str, headers: Mapping[str, str]) -> dict[str, Any]:
    return {
        "type": "websocket",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "scheme": "ws",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()],
        "client": ("10.255.0.1", 40_000),
        "server": ("origin", 80),
        "subprotocols": [],
        "extensions": {"websocket.http.response": {}},
        "state": {},
    }
