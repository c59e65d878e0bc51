"""One person's or device's HTTP connection to a Leadwire: tokens kept fresh, answers turned into errors of ours."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, Final

import httpx

from ingest.urls import uses_proxy
from schemas.errors import (
    Busy,
    Duplicate,
    Forbidden,
    LeadwireError,
    Malformed,
    NotFound,
    TooFast,
    TooLarge,
    Unauthenticated,
    WrongType,
)

_ERRORS: Final[Mapping[int, type[LeadwireError]]] = {
    error.status: error
    for error in (Unauthenticated, Forbidden, NotFound, Duplicate, TooLarge, WrongType, Malformed, TooFast, Busy)
}


class Connection:
    """Requests to the Leadwire at `url`, as the person who logged in, or with headers of the caller's own.

    An access token that has ended is renewed once with the refresh token, and the request is sent again. Every call
    raises the LeadwireError of the server's answer, and Busy when it can't be reached.
    """

    def __init__(
        self,
        url: str,
        prefix: str,
        timeout_s: float,
        access_token: str | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self.url = url.rstrip("/")
        self._access_token, self._refresh_token = access_token, ""
        self._renewing = asyncio.Lock()
        self._http = httpx.AsyncClient(
            base_url=self.url + prefix, timeout=timeout_s, transport=transport, trust_env=uses_proxy(url)
        )

    async def close(self) -> None:
        await self._http.aclose()

    async def login(self, username: str, password: str) -> dict[str, Any]:
        """The answer of auth/login, whose tokens later requests carry."""
        self.forget()
        return self._keep(await self.json("POST", "/auth/login", json={"username": username, "password": password}))

    def forget(self) -> None:
        """Be nobody again."""
        self._access_token, self._refresh_token = None, ""

    async def json(self, method: str, path: str, **request: Any) -> dict[str, Any]:
        """The object an answer holds."""
        told: dict[str, Any] = (await self.request(method, path, **request)).json()
        return told

    async def request(
        self, method: str, path: str, *, headers: Mapping[str, str] | None = None, **request: Any
    ) -> httpx.Response:
        """The answer, which is no error."""
        given = dict(headers or {})
        token = self._access_token
        answer = await self._send(method, path, headers=self._person() | given, **request)
        if answer.status_code == Unauthenticated.status and self._refresh_token and "Authorization" not in given:
            await self._renew(token)
            answer = await self._send(method, path, headers=self._person() | given, **request)
        return _good(answer)

    async def _renew(self, stale: str | None) -> None:
        """New tokens, unless another request has fetched them meanwhile: a refresh token is good for once."""
        async with self._renewing:
            if self._access_token == stale:
                told = await self._send("POST", "/auth/refresh-token", json={"refresh_token": self._refresh_token})
                self._keep(_good(told).json())

    def _keep(self, told: dict[str, Any]) -> dict[str, Any]:
        self._access_token, self._refresh_token = told["access_token"], told.get("refresh_token", "")
        return told

    def _person(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._access_token}"} if self._access_token else {}

    async def _send(self, method: str, path: str, **request: Any) -> httpx.Response:
        try:
            return await self._http.request(method, path, **request)
        except httpx.TransportError as error:
            raise Busy(f"{self.url} can't be reached ({error}); see that Leadwire runs there") from error


def _good(answer: httpx.Response) -> httpx.Response:
    if not answer.is_error:
        return answer
    try:
        detail = str(answer.json()["detail"])
    except (ValueError, KeyError, TypeError):
        detail = f"{answer.request.url} answered {answer.status_code}; see that it is a Leadwire"
    if answer.status_code == TooFast.status:
        raise TooFast(detail, _whole_seconds(answer.headers.get("Retry-After", "")))
    raise _ERRORS.get(answer.status_code, LeadwireError)(detail)


def _whole_seconds(text: str) -> int:
    """What Retry-After says; its other form, a date, is none of ours."""
    return int(text) if text.isascii() and text.isdigit() else TooFast.retry_after_s
