"""Requests made up from the OpenAPI documents, valid ones and not, and what was wrong with the answers."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Coroutine, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias, TypeVar

import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import Failure, FailureGroup
from schemathesis.core.result import Err
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from schemas.accounts import Role
from tests.contract.scene import Patient, Person, Scene

Result = TypeVar("Result")
Case: TypeAlias = schemathesis.Case[Any]

CHECKS: Final = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
MODES: Final = (schemathesis.GenerationMode.POSITIVE, schemathesis.GenerationMode.NEGATIVE)
ROLES: Final[tuple[Role, ...]] = ("user", "admin")
_DEVICE_ONLY: Final = "Device"
_PATIENCE_S: Final = 30.0
_RECOGNISED: Final = 3
"""How often callers who were logged out by what they sent come in again, for each operation."""


@dataclass(slots=True)
class Findings:
    """What was sent, and each kind of wrong answer once."""

    requests: int = 0
    statuses: Counter[int] = field(default_factory=Counter)
    wrong: dict[tuple[str, str], str] = field(default_factory=dict)
    """By operation and kind: one request that shows it."""


@dataclass(slots=True)
class _Caller:
    """Who sends, and what of theirs exists."""

    headers: Mapping[str, str]
    ids: Mapping[str, str]


class Sender:
    """Sends made-up requests to a server from a thread, while `loop` makes people for it."""

    def __init__(self, scene: Scene, base_url: str, loop: asyncio.AbstractEventLoop) -> None:
        self._scene, self._base_url, self._loop = scene, base_url, loop
        self._session = requests.Session()
        self._random = random.Random(7)  # noqa: S311  # which ids are known ones is no secret
        self.findings = Findings()

    def send(self, wanted: int) -> Findings:
        """At least `wanted` requests, spread evenly over operations, roles and valid or invalid data."""
        combinations = list(self._combinations())
        examples = -(-wanted // len(combinations))
        while self.findings.requests < wanted:
            for operation, role, mode in combinations:
                self._try(operation, role, mode, examples)
        return self.findings

    def _combinations(self) -> Iterator[tuple[Any, Role, schemathesis.GenerationMode]]:
        for path in (f"{self._scene.prefix}/openapi.json", "/gateway/openapi.json"):
            schema = schemathesis.openapi.from_url(self._base_url + path)
            for found in schema.get_all_operations():
                if isinstance(found, Err):
                    raise found.err()
                yield from ((found.ok(), role, mode) for role in ROLES for mode in MODES)

    def _try(self, operation: Any, role: Role, mode: schemathesis.GenerationMode, examples: int) -> None:
        caller, chances = self._caller(operation, role), _RECOGNISED

        @settings(
            max_examples=examples,
            phases=[Phase.generate],
            database=None,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy(generation_mode=mode))
        def send_one(case: Case) -> None:
            nonlocal caller, chances
            if self._send(case, caller) == 401 and chances:
                caller, chances = self._caller(operation, role), chances - 1

        try:
            send_one()
        except Unsatisfiable:  # nothing about it can be wrong: no parameter, no body
            return

    def _caller(self, operation: Any, role: Role) -> _Caller:
        patient: Patient = self._wait(self._scene.patient())
        schemes = [name for one in operation.definition.raw.get("security", []) for name in one]
        if _DEVICE_ONLY in schemes:
            return _Caller(patient.device_headers, patient.ids)
        person: Person = patient.person if role == "user" else self._wait(self._scene.person(role))
        return _Caller(person.headers, patient.ids)

    def _wait(self, coroutine: Coroutine[Any, Any, Result]) -> Result:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(_PATIENCE_S)

    def _send(self, case: Case, caller: _Caller) -> int:
        if self._random.random() < 0.5:
            _name_known(case, caller.ids)
        answer = case.call(base_url=self._base_url, session=self._session, headers=dict(caller.headers))
        self.findings.requests += 1
        self.findings.statuses[answer.status_code] += 1
        try:
            case.validate_response(answer, checks=CHECKS)
        except FailureGroup as group:
            for failure in group.exceptions:
                self._note(case, failure, answer.status_code)
        return int(answer.status_code)

    def _note(self, case: Case, failure: BaseException, status: int) -> None:
        operation = f"{case.operation.method.upper()} {case.operation.path}"
        kind = failure.title if isinstance(failure, Failure) else type(failure).__name__
        told = f"{status}: {failure}\n{case.as_curl_command()}"
        self.findings.wrong.setdefault((operation, f"{kind} {status}"), told[:3000])


def _name_known(case: Case, ids: Mapping[str, str]) -> None:
    """Let the request be about something that exists."""
    for part in (case.path_parameters, case.query, case.body):
        if isinstance(part, dict):
            part.update({name: ids[name] for name in part.keys() & ids.keys()})
