"""Every route answers every caller as the table says, and nobody learns of what is not theirs."""

from __future__ import annotations

import re
from uuid import uuid4

import pytest

from tests.contract.bodies import request_of
from tests.contract.knock import knock
from tests.contract.scene import Patient, Person, Scene, served
from tests.contract.table import CALLERS, Row, rows

_IDS = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|[0-9a-f]{32}")
_DIALLED = [row for row in rows() if row.method != "WS"]
_SECRET = [(row, caller) for row in _DIALLED for caller in ("other", "stranger") if row.cells[caller] in ("403", "404")]


def test_every_route_has_a_row_and_every_row_a_route(scene: Scene) -> None:
    routes = {*served(scene.api, scene.prefix), *served(scene.gateway, scene.prefix)}
    listed = {row.key for row in rows()}
    assert routes - listed == set(), "add a row to tests/contract/table.py"
    assert listed - routes == set(), "no route serves this; take it out of tests/contract/table.py"


def test_reads_are_the_apis_and_writes_the_gateways(scene: Scene) -> None:
    reads = {key.partition(" ")[0] for key in served(scene.api, scene.prefix)}
    writes = {key for key in served(scene.gateway, scene.prefix) if not key.partition(" ")[2].startswith("/")}
    assert reads == {"GET", "WS"}
    assert {key.partition(" ")[0] for key in writes} == {"POST", "PUT", "DELETE", "WS"}


@pytest.mark.parametrize("row", rows(), ids=str)
async def test_a_route_answers_each_caller_as_the_table_says(scene: Scene, row: Row) -> None:
    told = {caller: await _told(scene, row, caller) for caller in CALLERS if row.cells[caller] != "·"}
    assert told == {caller: cell for caller, cell in row.cells.items() if cell != "·"}


@pytest.mark.parametrize(("row", "caller"), _SECRET, ids=str)
async def test_what_is_somebody_elses_answers_like_what_does_not_exist(scene: Scene, row: Row, caller: str) -> None:
    """Not by status, nor by a word of the body, nor by a header."""
    there, person, headers = await _cast(scene, caller)
    absent = Patient(there.person, there.device_headers, {name: str(uuid4()) for name in there.ids})
    told = [await _answer(scene, row, patient, person, headers) for patient in (there, absent)]
    assert told[0] == told[1]


async def _answer(scene: Scene, row: Row, patient: Patient, person: Person, headers: dict[str, str]) -> list[object]:
    async with scene.client(headers) as http:
        sent = await request_of(row.key, scene, patient, person)
        answer = await http.request(row.method, _path(scene, row, patient), **sent)
    return [answer.status_code, _IDS.sub("ID", answer.text), sorted({*answer.headers} - {"date"})]


async def _told(scene: Scene, row: Row, caller: str) -> str:
    """What the table's cell should say."""
    patient, person, headers = await _cast(scene, caller)
    path = _path(scene, row, patient)
    if row.method == "WS":
        return await knock(scene.front(), path, headers)
    async with scene.client(headers) as http:
        answer = await http.request(row.method, path, **await request_of(row.key, scene, patient, person))
    assert answer.status_code < 500, answer.text
    if row.cells[caller] == "none" and answer.status_code == 200:
        return "none" if not answer.json().get("items") else "something"
    return str(answer.status_code)


async def _cast(scene: Scene, caller: str) -> tuple[Patient, Person, dict[str, str]]:
    """Whom the object is about, who calls, and with which headers."""
    doctor = await scene.person("doctor")
    patient = await scene.patient(doctor if caller == "patient" else None)
    people = {"own": patient.person, "patient": doctor, "stranger": doctor}
    if caller in ("other", "admin"):
        people[caller] = await scene.person("user" if caller == "other" else "admin")
    person = people.get(caller, patient.person)
    headers = {"nobody": {}, "device": patient.device_headers}.get(caller, person.headers)
    return patient, person, dict(headers)


def _path(scene: Scene, row: Row, patient: Patient) -> str:
    path = row.target.format(key="reports/none.pdf", **patient.ids)
    return path if path.startswith("/") else f"{scene.prefix}/{path}"
