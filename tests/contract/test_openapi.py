"""Both OpenAPI documents are valid and complete: a client can be generated from them, and a person can read them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from jsonschema import Draft202012Validator, FormatChecker
from openapi_spec_validator import validate

from tests.contract.scene import Scene
from web.openapi import TAGS, operations

Operation = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Documents:
    """Of the api and of the gateway."""

    all: tuple[dict[str, Any], ...]

    def operations(self) -> Iterator[tuple[str, Operation]]:
        for document in self.all:
            for path, method, operation in operations(document):
                yield f"{method.upper()} {path}", operation


@pytest.fixture
def documents(scene: Scene) -> Documents:
    return Documents((scene.api.openapi(), scene.gateway.openapi()))


def test_they_are_valid_openapi(documents: Documents) -> None:
    for document in documents.all:
        validate(document)


def test_asking_twice_gives_the_same(scene: Scene) -> None:
    assert str(scene.api.openapi()) == str(scene.api.openapi())


def test_every_operation_has_a_summary_and_a_described_tag(documents: Documents) -> None:
    for key, operation in documents.operations():
        assert operation.get("summary"), key
        assert operation.get("tags"), key
        assert set(operation["tags"]) <= set(TAGS), f"{key}: describe its tag in web/openapi.py"


def test_operation_ids_are_readable_and_unique(documents: Documents) -> None:
    counts = Counter(operation["operationId"] for _, operation in documents.operations())
    shared = {"health", "health_ready", "health_metrics"}  # of each service
    assert {name for name, count in counts.items() if count > 1} == shared
    for name in counts:
        assert re.fullmatch(r"[a-z][a-z0-9_]{1,40}", name), name
        assert "api_v1" not in name


def test_every_operation_tells_of_a_success_with_its_schema(documents: Documents) -> None:
    for key, operation in documents.operations():
        good = {status: answer for status, answer in operation["responses"].items() if status.startswith("2")}
        assert good, key
        for status, answer in good.items():
            assert status == "204" or answer.get("content") or key.endswith(" /metrics"), key


def test_every_operation_tells_of_the_errors_it_can_answer(documents: Documents) -> None:
    for key, operation in documents.operations():
        missing = _expected_errors(operation) - operation["responses"].keys()
        assert not missing, f"{key} does not document {missing}"


def _expected_errors(operation: Operation) -> set[str]:
    expected = {"429"}
    if operation.get("security"):
        expected |= {"401", "503"}
    if operation.get("parameters"):
        expected |= {"422"}
    if "requestBody" in operation:
        expected |= {"400", "413", "415", "422"}
    if any(one["in"] == "path" for one in operation.get("parameters", [])):
        expected |= {"404"}
    return expected


def test_every_error_is_a_problem_document_with_an_example(documents: Documents) -> None:
    for key, operation in documents.operations():
        for status, answer in operation["responses"].items():
            if status >= "400":
                media = answer["content"]["application/problem+json"]
                assert media["schema"] == {"$ref": "#/components/schemas/Problem"}, key
                assert media["example"]["status"] == int(status), key


def test_bodies_and_answers_have_examples_that_are_valid(documents: Documents) -> None:
    for document in documents.all:
        for path, method, operation in operations(document):
            for media in _media(operation):
                assert "example" in media, f"{method} {path}"
                schema = {**media["schema"], "components": document["components"]}
                checker = Draft202012Validator(schema, format_checker=FormatChecker())
                told = [error.message for error in checker.iter_errors(media["example"])]
                assert told == [], f"{method} {path}"


def _media(operation: Operation) -> Iterator[dict[str, Any]]:
    """What is JSON or a form; a PDF or protobuf needs no example."""
    for part in (operation.get("requestBody", {}), *operation["responses"].values()):
        for kind, media in part.get("content", {}).items():
            if "json" in kind or kind == "multipart/form-data":
                yield media


def test_people_and_devices_have_their_schemes(documents: Documents) -> None:
    api, gateway = (document["components"]["securitySchemes"] for document in documents.all)
    assert set(api) == {"Person"}
    assert set(gateway) == {"Person", "Device", "DeviceHeader"}
    told = dict(documents.operations())
    assert told["GET /api/v1/devices"]["security"] == [{"Person": []}]
    assert told["POST /api/v1/ecg/samples"]["security"] == [{"Device": []}, {"DeviceHeader": []}]
    assert "security" not in told["POST /api/v1/auth/login"]


def test_they_say_where_the_one_origin_is(documents: Documents, scene: Scene) -> None:
    for document in documents.all:
        assert scene.settings.http.public_url in [server["url"] for server in document["servers"]]


def test_reads_tell_of_etags_and_writes_do_not(documents: Documents) -> None:
    told = dict(documents.operations())
    assert "ETag" in told["GET /api/v1/devices"]["responses"]["200"]["headers"]
    assert "304" in told["GET /api/v1/devices"]["responses"]
    assert "304" not in told["POST /api/v1/devices"]["responses"]
