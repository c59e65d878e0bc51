"""Rate limit: who asks too much is sent away before anything else is done, above all before the database is asked."""

from __future__ import annotations

from typing import Final

from starlette.datastructures import Headers, QueryParams
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocket

from schemas.errors import TooFast, Unauthenticated
from web import problems, tokens
from web.callers import Door, device_token
from web.limits import Attempt, Limits, address_key

_PROBES: Final = frozenset({"/health", "/ready", "/metrics"})
"""Asked by machines of ours, which know no token and must always get an answer."""

_ATTEMPTS: Final[dict[str, Attempt]] = {
    "/auth/login": "logins",
    "/auth/register": "registrations",
    "/auth/refresh-token": "refreshes",
}
_BEARER_PROTOCOL: Final = "bearer."
_LOG_IN_CODE: Final = 4401
"""How the live WebSocket closes on a token that is not good."""


class RateLimit:
    """Answers 429 with Retry-After, to a WebSocket before it is opened.

    Good tokens are counted by session or by device and never by address: thousands of devices may share one. Bad
    ones are counted by address, and when they are too many refused without asking anybody. `app.state.door` tells
    good from bad.
    """

    def __init__(self, app: ASGIApp, limits: Limits, prefix: str) -> None:
        self.app, self._limits = app, limits
        self._attempts = {prefix + path: kind for path, kind in _ATTEMPTS.items()}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket") or scope["path"] in _PROBES:
            await self.app(scope, receive, send)
            return
        address = address_key(scope)
        token = _token(scope)
        try:
            await self._count(scope, address, token)
        except TooFast as error:
            await _refuse(error, scope, receive, send)
            return
        if token is None or address is None:
            await self.app(scope, receive, send)
        else:
            await self.app(scope, receive, self._watched(send, address))

    async def _count(self, scope: Scope, address: str | None, token: str | None) -> None:
        if token is not None and token.startswith(tokens.DEVICE_PREFIX):
            await self._count_device(scope["app"].state.door, address, token)
            return
        if token is not None and self._count_session(scope["app"].state.door, token):
            return
        if address is None:
            return
        if token is not None and self._limits.is_barred(address):
            self._limits.refuse_token(address)
        self._limits.request("anonymous", address)
        if scope["type"] == "http" and scope["method"] == "POST" and scope["path"] in self._attempts:
            await self._limits.attempt(self._attempts[scope["path"]], address)

    async def _count_device(self, door: Door, address: str | None, token: str) -> None:
        """Only where bad tokens come from is the device looked up here; for one that is known it takes microseconds."""
        hashed = tokens.token_hash(token)
        if address is not None and self._limits.is_barred(address) and await door.device_by_token(hashed) is None:
            self._limits.refuse_token(address)
        self._limits.request("samples", hashed.hex())

    def _count_session(self, door: Door, token: str) -> bool:
        """Whether the token is one of ours; whether its session is still open is asked later."""
        try:
            caller = tokens.read(token, door.security)
        except Unauthenticated:
            return False
        self._limits.request("requests", str(caller.session_id))
        return True

    def _watched(self, send: Send, address: str) -> Send:
        async def send_and_look(message: Message) -> None:
            if _says_unknown(message):
                await self._limits.token_failed(address)
            await send(message)

        return send_and_look


def _token(scope: Scope) -> str | None:
    """The token that is shown, wherever it is: a header, or a WebSocket's subprotocol or query."""
    found = device_token(Headers(scope=scope))
    if found is not None or scope["type"] == "http":
        return found
    for offered in scope.get("subprotocols", []):
        if offered.startswith((_BEARER_PROTOCOL, tokens.DEVICE_PREFIX)):
            return str(offered).removeprefix(_BEARER_PROTOCOL)
    return QueryParams(scope.get("query_string", b"")).get("token")


def _says_unknown(message: Message) -> bool:
    if message["type"] in ("http.response.start", "websocket.http.response.start"):
        return bool(message["status"] == Unauthenticated.status)
    return message["type"] == "websocket.close" and message.get("code") == _LOG_IN_CODE


async def _refuse(error: TooFast, scope: Scope, receive: Receive, send: Send) -> None:
    answer = problems.of(error, scope["path"])
    if scope["type"] == "http":
        await answer(scope, receive, send)
        return
    await WebSocket(scope, receive, send).send_denial_response(answer)
