"""OpenAPI: what all routes have in common is written into the document here, once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, Final, TypeAlias

from fastapi import FastAPI
from fastapi.routing import iter_route_contexts

from schemas.settings import HttpSettings
from web import problems
from web.examples import example

Operation: TypeAlias = dict[str, Any]
Document: TypeAlias = dict[str, Any]

METHODS: Final = ("get", "put", "post", "delete", "patch", "head", "options")

TAGS: Final = {
    "Accounts": "People come in, change what is known of them, and go.",
    "Admin": "Admins look after users and reports.",
    "Alarms": "What wants a look. Research use: not for primary alarms.",
    "Analytics": "How much of what there is, over time.",
    "Audit": "Who did what to whose data.",
    "Authentication": "Who is logged in.",
    "Beats": "One row per heart beat.",
    "Cloud": "Files in the object store.",
    "Devices": "Devices and their tokens.",
    "Files": "The folder store's signed links.",
    "HRV": "Heart rate variability of five minutes each.",
    "Health": "For load balancers, operators and Prometheus.",
    "Metrics": "The vital figures of a device, second by second.",
    "Reports": "PDF pages about a period.",
    "Rhythms": "Episodes of a rhythm.",
    "Samples": "The signal itself.",
    "Users": "People, and what belongs to them.",
}

_SAVED: Final = "Not changed since the answer whose ETag If-None-Match names; no body"
_ETAG: Final = {
    "ETag": {
        "description": "Send it as If-None-Match next time",
        "schema": {"type": "string"},
        "example": 'W/"0f343b0931126a20f133d67c2b018a3b"',
    }
}


def install(app: FastAPI, settings: HttpSettings, *, has_etags: bool = False) -> None:
    """Complete the document that `app` publishes. Call it once all routes are there, or before: it waits to be asked.

    `has_etags` says that GET answers carry ETags (web.etags).
    """
    plain, completed = app.openapi, False

    def openapi() -> Document:
        nonlocal completed
        document = plain()
        if not completed:
            _complete(app, document, settings, has_etags=has_etags)
            completed = True
        return document

    app.openapi = openapi  # type: ignore[method-assign]  # the way FastAPI's documentation gives


def operations(document: Document) -> Iterator[tuple[str, str, Operation]]:
    """Path, method (lower case) and operation, each of them."""
    for path, item in document["paths"].items():
        for method in METHODS:
            if method in item:
                yield path, method, item[method]


def _complete(app: FastAPI, document: Document, settings: HttpSettings, *, has_etags: bool) -> None:
    document["servers"] = [
        {"url": "/", "description": "Where this document was read"},
        {"url": settings.public_url, "description": "The one origin for clients"},
    ]
    names = operation_names(app)
    schemas = document["components"]["schemas"]
    used = set()
    for path, method, operation in operations(document):
        operation["operationId"] = names.get((path, method), operation.get("operationId"))
        used.update(operation.get("tags", []))
        _add_common_answers(operation, method, has_etags=has_etags)
        _add_examples(operation, schemas)
    document["tags"] = [{"name": tag, "description": TAGS.get(tag, tag)} for tag in sorted(used)]
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)


def operation_names(app: FastAPI) -> dict[tuple[str, str], str]:
    """A readable operationId for each path and method: the route's name, with its noun when that isn't in it.

    `list_users`, `users_reports_of`, `auth_login`: the noun is the module's, so no two routes share one by accident.
    """
    told: dict[tuple[str, str], str] = {}
    for route in iter_route_contexts(app.routes):
        if route.path_format is None or route.endpoint is None:
            continue
        noun = str(route.endpoint.__module__).rpartition(".")[2]
        name = str(route.name).strip("_")
        has_noun = noun.removesuffix("s") in name
        for method in route.methods or ():
            told[route.path_format, method.lower()] = name if has_noun else f"{noun}_{name}"
    return _unique(told)


def _unique(told: dict[tuple[str, str], str]) -> dict[tuple[str, str], str]:
    """Routes that serve several paths or methods get the method and the path's parts after their name."""
    counts = Counter(told.values())

    def full(path: str, method: str, name: str) -> str:
        if counts[name] == 1:
            return name
        parts = [part.strip("{}").replace(":path", "") for part in path.split("/") if part not in ("", "api", "v1")]
        return "_".join([name, method, *parts]).replace("-", "_").replace(".", "_")

    return {(path, method): full(path, method, name) for (path, method), name in told.items()}


def _add_common_answers(operation: Operation, method: str, *, has_etags: bool) -> None:
    """What any route of its kind may answer; what the route says itself stays."""
    statuses = [429]
    if operation.get("security"):
        statuses += [401, 503]
    if operation.get("parameters"):
        statuses += [422]
    if "requestBody" in operation:
        statuses += [400, 413, 415, 422]
    answers = operation["responses"]
    for status, answer in problems.documented(*statuses).items():
        known = answers.get(str(status))
        if known is None or "HTTPValidationError" in str(known):
            answers[str(status)] = answer
    if has_etags and method == "get" and "application/json" in answers.get("200", {}).get("content", {}):
        answers["200"].setdefault("headers", {}).update(_ETAG)
        answers["304"] = {"description": _SAVED, "headers": _ETAG}
    operation["responses"] = dict(sorted(answers.items()))


def _add_examples(operation: Operation, schemas: Mapping[str, Any]) -> None:
    contents = [operation.get("requestBody", {}).get("content", {})]
    contents += [answer.get("content", {}) for status, answer in operation["responses"].items() if status < "300"]
    for content in contents:
        for kind, media in content.items():
            has_one = "example" in media or "examples" in media
            if kind in ("application/json", "multipart/form-data") and "schema" in media and not has_one:
                media["example"] = example(media["schema"], schemas)
