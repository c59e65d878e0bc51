"""Problem documents: every error answer is RFC 9457 JSON whose detail ends with what to do."""

from __future__ import annotations

import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final, cast
from uuid import uuid4

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError, ResponseValidationError
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse

from schemas import logs
from schemas.errors import LeadwireError

MEDIA_TYPE: Final = "application/problem+json"
_SHOWN: Final = 60
"""Characters of a refused value that an answer repeats."""

_DETAILS: Final = {
    400: "the request could not be read; check its body against the OpenAPI document",
    404: "nothing is served at this path; the OpenAPI document lists the paths",
    413: "the body is too large; send it in smaller parts",
    415: "this media type is not accepted here; the OpenAPI document lists the accepted ones",
}

_log = logs.logger(__name__)


class FieldProblem(BaseModel):
    """One part of a request that is wrong."""

    where: str = Field(examples=["query.limit"])
    what: str = Field(examples=["Input should be less than or equal to 500, not '900'"])


class Problem(BaseModel):
    """An error answer (RFC 9457); `detail` ends with what to do."""

    type: str = Field(examples=["urn:leadwire:not-found"])
    title: str = Field(examples=["Not found"])
    status: int = Field(examples=[404])
    detail: str = Field(examples=["there is no device 8c0b…, or it is not yours; list yours with GET devices"])
    instance: str | None = Field(None, examples=["/api/v1/devices/8c0b…"])
    errors: list[FieldProblem] | None = None


_WHEN: Final = {
    400: "The body can't be read as what its type says",
    401: "No token, or one that is not valid",
    403: "Known, but not allowed",
    404: "Absent, or not yours",
    406: "No accepted media type is served here",
    409: "It exists already, or contradicts what is known",
    413: "The body is over the limit",
    415: "A media type that is not accepted here",
    416: "The file has no such bytes; Content-Range says how many it has",
    422: "A parameter or the body is malformed",
    429: "Too many requests; Retry-After says when to try again",
    503: "A server is away; Retry-After says when to try again",
}

Responses = dict[int | str, dict[str, Any]]
"""What FastAPI's `responses=` takes."""


_TELLING: Final = {
    400: ("Bad Request", _DETAILS[400]),
    401: ("Unauthenticated", "the access token has expired; log in again with POST auth/login"),
    403: ("Forbidden", "this is for admins and you are a user; ask an admin"),
    404: ("Not found", "no device 8c0b… among those you may see; list them with GET devices"),
    406: ("Not Acceptable", "none of the accepted media types is served here; accept application/json"),
    409: ("Duplicate", "a user with this email exists already; choose another email"),
    413: ("Too large", "the body is over 4194304 bytes, the limit; send it in smaller parts"),
    415: ("Unsupported media type", _DETAILS[415]),
    416: ("Range not satisfiable", "the file has 1000 bytes; ask for a range within them, or for the whole file"),
    422: ("Malformed", "query.limit: Input should be less than or equal to 500, not '900'; correct this and send the "
          "request again"),
    429: ("Too many requests", "over 10 tries a minute from this address; wait 10 s and try again"),
    503: ("Busy", "the database does not answer; try again in 5 s"),
}  # fmt: skip
"""Title and detail of the example of each answer."""
_SECONDS: Final = {"Retry-After": {"description": "Seconds to wait", "schema": {"type": "integer"}, "example": 10}}
_CHALLENGE: Final = {"WWW-Authenticate": {"description": "Bearer", "schema": {"type": "string"}, "example": "Bearer"}}
_WITH_HEADERS: Final = {401: _CHALLENGE, 429: _SECONDS, 503: _SECONDS}


def documented(*statuses: int) -> Responses:
    """The OpenAPI entries of the error answers of a route, for FastAPI's `responses=`.

    What any route may answer (400, 401, 413, 415, 422, 429 and 503, as far as it has a body, parameters or callers
    that are known) is added for all of them in web.openapi; a route names what is its own: 403, 404, 409 …
    """
    return {status: _documented(status) for status in statuses}


def _documented(status: int) -> dict[str, Any]:
    media = {"schema": {"$ref": "#/components/schemas/Problem"}, "example": _example(status)}
    told: dict[str, Any] = {"description": _WHEN[status], "content": {MEDIA_TYPE: media}}
    if status in _WITH_HEADERS:
        told["headers"] = _WITH_HEADERS[status]
    return told


def _example(status: int) -> dict[str, Any]:
    title, detail = _TELLING.get(status, (HTTPStatus(status).phrase, f"{_WHEN[status]}; see docs/http.md"))
    told: dict[str, Any] = {"type": f"urn:leadwire:{_slug(title)}", "title": title, "status": status, "detail": detail}
    told["instance"] = "/api/v1/devices"
    if status == 422:
        told["errors"] = [{"where": "query.limit", "what": "Input should be less than or equal to 500, not '900'"}]
    return told


def _slug(title: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")


def answer(
    status: int,
    title: str,
    detail: str,
    instance: str | None = None,
    *,
    errors: list[FieldProblem] | None = None,
    headers: Mapping[str, str] | None = None,
) -> JSONResponse:
    """The response that carries one problem."""
    problem = Problem(
        type=f"urn:leadwire:{_slug(title)}", title=title, status=status, detail=detail, instance=instance, errors=errors
    )
    content = problem.model_dump(mode="json", exclude_none=True)
    return JSONResponse(content, status, headers, media_type=MEDIA_TYPE)


def of(error: LeadwireError, instance: str | None = None) -> JSONResponse:
    """The answer for one of our own errors, with WWW-Authenticate or Retry-After where they belong."""
    headers = {}
    if error.status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    if error.retry_after_s is not None:
        headers["Retry-After"] = str(error.retry_after_s)
    if error.status >= 500 and error.retry_after_s is None:
        return _internal(instance, error)
    return answer(error.status, error.title, str(error), instance, headers=headers)


def install(app: FastAPI) -> None:
    """Answer every error of `app` with a problem document."""
    app.add_exception_handler(LeadwireError, _on_leadwire_error)
    app.add_exception_handler(RequestValidationError, _on_invalid_request)
    app.add_exception_handler(ResponseValidationError, _on_defect)
    app.add_exception_handler(HTTPException, _on_http_exception)
    app.add_exception_handler(Exception, _on_defect)
    _describe(app)


def _describe(app: FastAPI) -> None:
    """Put the Problem that documented() refers to into the OpenAPI document."""
    plain = app.openapi

    def openapi() -> dict[str, Any]:
        document = plain()
        schemas = document.setdefault("components", {}).setdefault("schemas", {})
        described = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
        schemas.update(described.pop("$defs"))
        schemas["Problem"] = described
        return document

    app.openapi = openapi  # type: ignore[method-assign]  # the way FastAPI's documentation gives


async def _on_leadwire_error(request: Request, error: Exception) -> JSONResponse:
    return of(cast("LeadwireError", error), request.url.path)


async def _on_invalid_request(request: Request, error: Exception) -> JSONResponse:
    problems = [_field_problem(one) for one in cast("RequestValidationError", error).errors()]
    listed = "; ".join(f"{problem.where}: {problem.what}" for problem in problems[:5])
    detail = f"{listed}; correct this and send the request again"
    return answer(422, "Malformed", detail, request.url.path, errors=problems)


def _field_problem(error: Mapping[str, Any]) -> FieldProblem:
    location = tuple(str(part) for part in error["loc"])
    return FieldProblem(where=".".join(location), what=_text(error) + _shown(location, error.get("input")))


def _text(error: Mapping[str, Any]) -> str:
    reason = error.get("ctx", {}).get("error")
    if error["type"] == "json_invalid":
        return f"this is not JSON ({reason})"
    return str(reason) if error["type"] == "value_error" else str(error["msg"])


def _shown(location: tuple[str, ...], value: object) -> str:
    """The refused value; never one from a body or a header, which may be a password or a token."""
    if location[:1] not in (("query",), ("path",)) or not isinstance(value, str):
        return ""
    return f", not {value[:_SHOWN]!r}"


async def _on_http_exception(request: Request, error: Exception) -> JSONResponse:
    problem = cast("HTTPException", error)
    title = HTTPStatus(problem.status_code).phrase
    headers = problem.headers
    detail = _DETAILS.get(problem.status_code, f"{problem.detail}; the OpenAPI document says what is served here")
    if problem.status_code == 405:
        allowed = (headers or {}).get("Allow", "GET, HEAD")
        detail = f"{request.method} is not served at this path; use {allowed}"
        headers = {**(headers or {}), "Allow": allowed}
    return answer(problem.status_code, title, detail, request.url.path, headers=headers)


async def _on_defect(request: Request, error: Exception) -> JSONResponse:
    return _internal(request.url.path, error)


def _internal(instance: str | None, error: Exception) -> JSONResponse:
    incident = uuid4().hex[:12]
    _log.error("request failed", incident=incident, path=instance, error=type(error).__name__, exc_info=error)
    detail = f"something is wrong on our side; try again, and if it stays tell the operator incident {incident}"
    return answer(500, "Internal error", detail, instance)
