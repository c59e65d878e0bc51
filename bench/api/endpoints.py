"""Which requests are measured: every list and latest GET of the OpenAPI document, asked by each role."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from urllib.parse import urlencode

from bench.api.month import DAYS, Month, admin, device_id, doctor, recording_id, user_id
from web.openapi import operations

ROLES: Final = ("user", "doctor", "admin")
_UNMEASURED: Final = ("/health", "/ready", "/metrics", "/api/v1/files/{key}")
_ALSO: Final[Mapping[str, tuple[Mapping[str, str], ...]]] = {
    "/api/v1/ecg/metrics": ({}, {"user_id": "user_id"}, {"device_id": "device_id"}),
    "/api/v1/ecg/metrics/latest": ({"user_id": "user_id"}, {}),
    "/api/v1/ecg/alarms": ({}, {"user_id": "user_id"}),
    "/api/v1/ecg/beats": ({"device_id": "device_id"},),
}
"""Filters that a list is asked with beside those it demands; by name of the parameter and of the value."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One GET: its path in the document, what is asked, and as whom."""

    path: str
    target: str
    role: str

    @property
    def name(self) -> str:
        """The path with the names of its filters."""
        filters = [part.partition("=")[0] for part in self.target.partition("?")[2].split("&") if part]
        return f"{self.path.removeprefix('/api/v1/')}{'?' if filters else ''}{'&'.join(filters)}"


def people(month: Month) -> dict[str, int]:
    """The number of who asks, by role; the doctor's first patient is the user."""
    return {"user": 1, "doctor": doctor(month), "admin": admin(month)}


def endpoints(document: Mapping[str, Any], month: Month) -> Iterator[Endpoint]:
    """Each list and latest GET of the document, for each role; what is about one patient is about user 1."""
    values = _values()
    for path, method, operation in operations(dict(document)):
        if method != "get" or path in _UNMEASURED or not _is_list(path, operation):
            continue
        for filters in _ALSO.get(path, ({},)):
            target = _target(path, operation, filters, values)
            yield from (Endpoint(path, target, role) for role in people(month) if target)


def _is_list(path: str, operation: Mapping[str, Any]) -> bool:
    """It takes pages, or it is one of those that tell the newest, who is live, or figures over time."""
    names = {parameter["name"] for parameter in operation.get("parameters", [])}
    words = ("latest", "live", "burden", "stats", "analytics")
    return "page" in names or any(word in path for word in words)


def _values() -> dict[str, str]:
    now = datetime.now(UTC)
    return {
        "user_id": str(user_id(1)),
        "device_id": str(device_id(1)),
        "recording_id": str(recording_id(1, DAYS)),
        "start": (now - timedelta(days=7)).isoformat(),
        "end": now.isoformat(),
    }


def _target(
    path: str, operation: Mapping[str, Any], filters: Mapping[str, str], values: Mapping[str, str]
) -> str | None:
    """The path and query, None when a parameter is demanded that nobody here knows."""
    asked = {name: values[value] for name, value in filters.items()}
    for parameter in operation.get("parameters", []):
        name = parameter["name"]
        if parameter["in"] == "header" or not parameter.get("required") or name in asked:
            continue
        if name not in values:
            return None
        if parameter["in"] == "query":
            asked[name] = values[name]
    return path.format(**values) + (f"?{urlencode(asked)}" if asked else "")
