"""Middleware: what happens to every request, as plain ASGI so that streams stay streams."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from typing import Final

from fastapi import FastAPI
from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from schemas import telemetry
from schemas.errors import TooLarge
from schemas.settings import HttpSettings
from web import problems
from web.limits import Limits
from web.rate_limit import RateLimit

_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_CSP: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; font-src 'self'; "
    "connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
"""'self' of connect-src covers the WebSocket of the same host and port (CSP level 3)."""
_DISCARD_BYTES: Final = 64 * 2**20
_DISCARD_S: Final = 10.0
"""How much of a body that is too large is read so that its sender hears why."""
_DOCS_CSP: Final = (
    "default-src 'none'; script-src 'unsafe-inline' https://cdn.jsdelivr.net; connect-src 'self'; "
    "style-src 'unsafe-inline' https://cdn.jsdelivr.net; img-src data: https:; frame-ancestors 'none'"
)
"""The API's reference page is Swagger UI from its usual CDN; it holds no patient data."""
_HEADERS: Final = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cache-Control": "no-store",  # patient data; a route that serves something else says so itself
}


def install(
    app: FastAPI,
    settings: HttpSettings,
    application: str,
    limits: Limits | None = None,
    body_limits: Mapping[str, int] | None = None,
) -> None:
    """Put all of this module around `app`; `application` is its name in telemetry.

    `body_limits` are the paths whose bodies have a limit of their own, in bytes.
    """
    app.add_middleware(BodyLimit, max_bytes=settings.max_body_bytes, others=body_limits or {})
    if limits is not None:
        app.add_middleware(RateLimit, limits=limits, prefix=settings.prefix)
    app.add_middleware(
        CORSMiddleware,
        allow_origins=settings.cors_origins,
        allow_methods=["GET", "HEAD", "POST", "PUT", "DELETE"],
        allow_headers=["Authorization", "Content-Type", "If-None-Match", "Range", "X-Device-Token"],
        expose_headers=["Accept-Ranges", "Content-Disposition", "Content-Range", "ETag", "Location", "Retry-After"],
        max_age=600,
    )
    app.add_middleware(
        SecurityHeaders, https=settings.public_url.startswith("https:"), docs_path=str(app.docs_url or "")
    )
    app.add_middleware(RequestTelemetry, application=application)


class BodyLimit:
    """Answers 413 as soon as a body is known to be over its limit: by its header, or while it streams in.

    The limit is `max_bytes`, or what `others` say of its path.
    """

    def __init__(self, app: ASGIApp, max_bytes: int, others: Mapping[str, int]) -> None:
        self.app, self.max_bytes, self.others = app, max_bytes, others

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        limit = self.others.get(scope["path"], self.max_bytes)
        counted = _CountedBody(receive, send, limit)
        try:
            if _content_length(scope) > limit:
                counted.refuse()
            await self.app(scope, counted.receive, counted.send)
        except TooLarge:
            if not counted.refused:
                raise
        if counted.refused and not counted.started:
            if "expect" not in Headers(scope=scope):  # such a client waits for our word before it sends the body
                await _discard(receive)
            answer = problems.of(counted.error(), scope["path"])
            answer.headers["Connection"] = "close"  # what is left of the body is not read
            await answer(scope, receive, send)


class _CountedBody:
    """The two channels of one request. Once refused, what the application answers is not sent."""

    def __init__(self, receive: Receive, send: Send, max_bytes: int) -> None:
        self._receive, self._send, self._max_bytes = receive, send, max_bytes
        self._seen = 0
        self.refused = self.started = False

    def refuse(self) -> None:
        self.refused = True
        raise self.error()

    def error(self) -> TooLarge:
        return TooLarge(f"the body is over {self._max_bytes} bytes, the limit; send it in smaller parts")

    async def receive(self) -> Message:
        message = await self._receive()
        self._seen += len(message.get("body", b""))
        if self._seen > self._max_bytes:
            self.refuse()
        return message

    async def send(self, message: Message) -> None:
        if self.refused and not self.started:
            return
        self.started = True
        await self._send(message)


async def _discard(receive: Receive) -> None:
    """Read on for a while and keep nothing.

    Closing on a client that still sends resets the connection, and the client never sees the answer.
    """
    left = _DISCARD_BYTES
    try:
        async with asyncio.timeout(_DISCARD_S):
            while left > 0:
                message = await receive()
                left -= len(message.get("body", b""))
                if not message.get("more_body", False):
                    return
    except TimeoutError:
        return


def _content_length(scope: Scope) -> int:
    text = Headers(scope=scope).get("content-length", "0")
    return int(text) if text.isascii() and text.isdigit() else 0


class SecurityHeaders:
    """Adds the headers a browser needs to be careful, unless the route has set them itself."""

    def __init__(self, app: ASGIApp, *, https: bool, docs_path: str) -> None:
        self.app, self.docs_path = app, docs_path
        self.headers: Mapping[str, str] = (
            {**_HEADERS, "Strict-Transport-Security": "max-age=31536000"} if https else _HEADERS
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        policy = _DOCS_CSP if scope["path"] == self.docs_path else _CSP

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.setdefault("Content-Security-Policy", policy)
                for name, value in self.headers.items():
                    headers.setdefault(name, value)
            await send(message)

        await self.app(scope, receive, send_with_headers)


class HeadAsGet:
    """Answers HEAD wherever GET is served: the same headers, and no body."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self.app(scope, receive, send)
            return
        scope["method"] = "GET"  # in place: the route found is read from this scope by RequestTelemetry

        async def send_without_body(message: Message) -> None:
            if message["type"] == "http.response.body":
                message = {**message, "body": b""}
            await send(message)

        await self.app(scope, receive, send_without_body)


class RequestTelemetry:
    """Times every request under its route's template, so that ids never become labels."""

    def __init__(self, app: ASGIApp, application: str) -> None:
        self.app, self.application = app, application

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started, status = time.perf_counter(), 500
        method = scope["method"] if scope["method"] in _METHODS else "OTHER"

        async def send_and_note(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self.app(scope, receive, send_and_note)
        finally:
            seconds = time.perf_counter() - started
            telemetry.HTTP_SECONDS.labels(self.application, method, route_template(scope), str(status)).observe(seconds)


def route_template(scope: Scope) -> str:
    """`/api/v1/devices/{device_id}` for a matched request, "unmatched" for any other.

    FastAPI leaves the route as its own router knows it, without the prefix it was included under, so the
    prefix is what remains of the path.
    """
    template = getattr(scope.get("route"), "path_format", None)
    if template is None:
        return "unmatched"
    filled = template
    for name, value in scope.get("path_params", {}).items():
        filled = filled.replace(f"{{{name}}}", str(value))
    path = str(scope["path"])
    return path.removesuffix(filled) + template if path.endswith(filled) else str(template)
