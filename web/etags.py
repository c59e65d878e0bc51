"""ETags: a client that has an answer already is told so (304) instead of being sent it again."""

from __future__ import annotations

import hashlib
from typing import Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_TAGGED: Final = "application/json"
_VARY: Final = ("Authorization", "Accept")
"""The same path answers each caller differently, and ecg/samples in two media types."""
_KEPT_OF_304: Final = frozenset({b"cache-control", b"etag", b"vary", b"expires", b"date", b"content-location"})
"""What RFC 9110, 15.4.5 wants in a 304 and what caches take from it; a body's own headers go with the body."""


class ConditionalGet:
    """Gives each whole JSON answer to a GET a weak ETag, and answers a request that names it with 304.

    The tag is a hash of the body, so the query has run already: what is saved is the way to the client. It is weak
    because a proxy that compresses keeps a weak one as it is. A route that sets an ETag itself (files), a stream,
    and anything but 200 pass through untouched. Put this inside whatever turns HEAD into GET.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "GET":
            await self.app(scope, receive, send)
            return
        await self.app(scope, receive, _Tagging(send, Headers(scope=scope).get("if-none-match")))


class _Tagging:
    """The channel of one answer: its start is held back until its body is seen."""

    def __init__(self, send: Send, asked: str | None) -> None:
        self._send, self._asked = send, asked
        self._start: Message | None = None

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start" and _is_taggable(message):
            self._start = message
        elif self._start is None or message["type"] != "http.response.body":
            await self._send(message)
        else:
            start, self._start = self._start, None
            await self._answer(start, message)

    async def _answer(self, start: Message, body: Message) -> None:
        if body.get("more_body", False):  # a stream: its end is not known yet
            await self._send(start)
            await self._send(body)
            return
        tag = etag(body.get("body", b""))
        headers = MutableHeaders(scope=start)
        headers["ETag"] = tag
        for name in _VARY:
            headers.add_vary_header(name)
        if self._asked is not None and names(self._asked, tag):
            kept = [(name, value) for name, value in start["headers"] if name.lower() in _KEPT_OF_304]
            start, body = {**start, "status": 304, "headers": kept}, {**body, "body": b""}
        await self._send(start)
        await self._send(body)


def _is_taggable(start: Message) -> bool:
    headers = Headers(raw=start["headers"])
    kind = headers.get("content-type", "").partition(";")[0].strip()
    return start["status"] == 200 and kind == _TAGGED and "etag" not in headers


def etag(body: bytes) -> str:
    """A weak tag of 128 bits of the body's hash; about 1 µs a kilobyte."""
    return f'W/"{hashlib.blake2b(body, digest_size=16).hexdigest()}"'


def names(asked: str, tag: str) -> bool:
    """Whether an If-None-Match header names `tag`, by the weak comparison of RFC 9110, 13.1.2."""
    wanted = [one.strip().removeprefix("W/") for one in asked.split(",")]
    return "*" in wanted or tag.removeprefix("W/") in wanted
