"""One origin for both applications: reads go to `api`, writes to `ingest`, as nginx does it in production."""

from __future__ import annotations

from contextlib import AsyncExitStack
from typing import Final

from fastapi import FastAPI
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_READS: Final = frozenset({"GET", "HEAD"})


class Front:
    """Picks the application by method; a WebSocket that carries samples in is a write."""

    def __init__(self, api: FastAPI, gateway: FastAPI, samples_path: str) -> None:
        self._api = api
        self._gateway = gateway
        self._samples_path = samples_path

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
        else:
            await self._application(scope)(scope, receive, send)

    def _application(self, scope: Scope) -> ASGIApp:
        if scope["type"] == "websocket":
            return self._gateway if scope["path"].rstrip("/") == self._samples_path else self._api
        if scope["method"] == "OPTIONS":
            return self._preflight(scope)
        is_read = scope["method"] in _READS and not scope["path"].startswith("/gateway/")
        return self._api if is_read else self._gateway

    def _preflight(self, scope: Scope) -> ASGIApp:
        """A CORS preflight goes where the request it asks about will go."""
        asked = dict(scope["headers"]).get(b"access-control-request-method", b"").decode()
        return self._api if asked in _READS else self._gateway

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        await receive()
        async with AsyncExitStack() as running:
            try:
                for app in (self._gateway, self._api):
                    await running.enter_async_context(app.router.lifespan_context(app))
            except Exception as error:
                await send(_failed(error))
                raise
            await send({"type": "lifespan.startup.complete"})
            await receive()
        await send({"type": "lifespan.shutdown.complete"})


def _failed(error: Exception) -> Message:
    return {"type": "lifespan.startup.failed", "message": str(error)}
