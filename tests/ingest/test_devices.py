"""devices: registered for a person, known by a token that is shown once."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from schemas.clock import now_us
from schemas.codec import encode_pack
from tests.ingest.desk import Desk, Person, problem
from tests.unit.ingest.examples import BLOCK
from web.tokens import token_hash

pytestmark = pytest.mark.embedded


async def _register(http: httpx.AsyncClient, person: Person, **body: object) -> dict[str, Any]:
    answer = await http.post("/devices", json=body, headers=person.headers)
    assert answer.status_code == 201
    told: dict[str, Any] = answer.json()
    return told


async def _sends(http: httpx.AsyncClient, device_id: str, token: str) -> int:
    """The status of a block that a device sends with a token."""
    fields = {"device_id": UUID(device_id), "started_at_us": now_us(), "recording_id": uuid4()}
    block = type(BLOCK)(**{name: getattr(BLOCK, name) for name in BLOCK.__slots__} | fields)
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/x-protobuf"}
    return (await http.post("/ecg/samples", content=encode_pack([block]), headers=headers)).status_code


async def test_a_device_is_its_registrants_and_its_token_works(http: httpx.AsyncClient, desk: Desk) -> None:
    told = await _register(http, desk.user, device_serial=uuid4().hex, manufacturer="Example", model="One")
    device_id = told["device"]["device_id"]
    assert (told["device"]["user_id"], told["device"]["model"]) == (str(desk.user.user_id), "One")
    assert await _sends(http, device_id, told["token"]) == 202
    assert await desk.audited(device_id) == ["device.register"]


async def test_only_the_hash_of_a_token_is_kept(http: httpx.AsyncClient, desk: Desk) -> None:
    told = await _register(http, desk.user)
    kept = await desk.value("SELECT token_hash FROM devices WHERE device_id = %s", told["device"]["device_id"])
    assert bytes(kept) == token_hash(told["token"])


async def test_an_admin_registers_for_anyone(http: httpx.AsyncClient, desk: Desk) -> None:
    told = await _register(http, desk.admin, user_id=str(desk.user.user_id))
    assert told["device"]["user_id"] == str(desk.user.user_id)


@pytest.mark.parametrize("role", ["user", "doctor"])
async def test_for_somebody_else_it_is_403(http: httpx.AsyncClient, desk: Desk, role: str) -> None:
    body = {"user_id": str(desk.admin.user_id)}
    told = problem(await http.post("/devices", json=body, headers=getattr(desk, role).headers))
    assert told["status"] == 403
    assert str(desk.admin.user_id) in told["detail"]
    assert told["detail"].endswith("leave it out, or ask an admin")


async def test_for_a_user_who_does_not_exist_it_is_404(http: httpx.AsyncClient, desk: Desk) -> None:
    nobody = str(uuid4())
    told = problem(await http.post("/devices", json={"user_id": nobody}, headers=desk.admin.headers))
    assert told["status"] == 404
    assert nobody in told["detail"]


async def test_nobody_registers_a_device(http: httpx.AsyncClient) -> None:
    assert problem(await http.post("/devices", json={}))["status"] == 401


async def test_a_serial_number_is_409_the_second_time(http: httpx.AsyncClient, desk: Desk) -> None:
    body = {"device_serial": uuid4().hex}
    await _register(http, desk.user, **body)
    told = problem(await http.post("/devices", json=body, headers=desk.admin.headers))
    assert (told["status"], told["title"]) == (409, "Duplicate")


@pytest.mark.parametrize(
    ("body", "where"),
    [
        ({"device_type": "toaster"}, "body.device_type"),
        ({"device_serial": "x" * 101}, "body.device_serial"),
        ({"device_name": "a\x00b"}, "body.device_name"),
        ({"user_id": "me"}, "body.user_id"),
        ({"serial": "misspelt"}, "body.serial"),
    ],
)
async def test_a_bad_device_is_422_and_names_the_field(
    http: httpx.AsyncClient, desk: Desk, body: dict[str, str], where: str
) -> None:
    told = problem(await http.post("/devices", json=body, headers=desk.admin.headers))
    assert (told["status"], [error["where"] for error in told["errors"]]) == (422, [where])


async def test_a_rotated_token_takes_over_at_once(http: httpx.AsyncClient, desk: Desk) -> None:
    told = await _register(http, desk.user)
    device_id = told["device"]["device_id"]
    assert await _sends(http, device_id, told["token"]) == 202  # and now it is remembered
    rotated = (await http.post(f"/devices/{device_id}/token", headers=desk.user.headers)).json()
    assert rotated["device_id"] == device_id
    assert await _sends(http, device_id, told["token"]) == 401
    assert await _sends(http, device_id, rotated["token"]) == 202
    assert await desk.audited(device_id) == ["device.register", "device.rotate_token"]


async def test_a_device_that_is_not_yours_keeps_its_token_and_is_404_as_one_that_does_not_exist(
    http: httpx.AsyncClient, desk: Desk, newcomer: Person
) -> None:
    told = await _register(http, desk.user)
    device_id = told["device"]["device_id"]
    for strange in (device_id, str(uuid4())):
        answer = problem(await http.post(f"/devices/{strange}/token", headers=newcomer.headers))
        assert answer["status"] == 404
        assert answer["detail"] == f"no device {strange} among those you may see; list them with GET devices"
    assert await _sends(http, device_id, told["token"]) == 202
    assert await desk.audited(device_id) == ["device.register"]


async def test_what_is_no_device_id_is_422(http: httpx.AsyncClient, desk: Desk) -> None:
    told = problem(await http.post("/devices/mine/token", headers=desk.user.headers))
    assert (told["status"], told["errors"][0]["where"]) == (422, "path.device_id")
    assert "'mine'" in told["detail"]


async def test_an_owner_changes_their_device(http: httpx.AsyncClient, desk: Desk) -> None:
    told = await _register(http, desk.user, model="One")
    path = f"/devices/{told['device']['device_id']}"
    answer = await http.put(path, json={"device_name": "Bed 4", "model": None}, headers=desk.user.headers)
    assert (answer.status_code, answer.json()["device_name"], answer.json()["model"]) == (200, "Bed 4", None)
    assert problem(await http.put(path, json={}, headers=desk.user.headers))["status"] == 422
    given = {"user_id": str(desk.doctor.user_id)}
    assert problem(await http.put(path, json=given, headers=desk.user.headers))["status"] == 403


async def test_a_device_that_is_switched_off_sends_nothing(http: httpx.AsyncClient, desk: Desk) -> None:
    told = await _register(http, desk.user)
    device_id = told["device"]["device_id"]
    assert await _sends(http, device_id, told["token"]) == 202
    await http.put(f"/devices/{device_id}", json={"is_active": False}, headers=desk.user.headers)
    assert await _sends(http, device_id, told["token"]) == 401
    await http.put(f"/devices/{device_id}", json={"is_active": True}, headers=desk.user.headers)
    assert await _sends(http, device_id, told["token"]) == 202


async def test_an_admin_gives_a_device_to_somebody_else(http: httpx.AsyncClient, desk: Desk, newcomer: Person) -> None:
    told = await _register(http, desk.user)
    path, token = f"/devices/{told['device']['device_id']}", {"X-Device-Token": told["token"]}
    before = (await http.post("/ecg/metrics", json={"heart_rate": 60}, headers=token)).json()
    answer = await http.put(path, json={"user_id": str(newcomer.user_id)}, headers=desk.admin.headers)
    after = (await http.post("/ecg/metrics", json={"heart_rate": 61}, headers=token)).json()
    assert (before["user_id"], after["user_id"]) == (str(desk.user.user_id), str(newcomer.user_id))
    assert answer.json()["user_id"] == after["user_id"]
    assert problem(await http.put(path, json={"user_id": str(uuid4())}, headers=desk.admin.headers))["status"] == 404


async def test_a_deleted_device_is_gone_with_its_token(http: httpx.AsyncClient, desk: Desk) -> None:
    told = await _register(http, desk.user, device_serial=(serial := uuid4().hex))
    device_id = told["device"]["device_id"]
    assert await _sends(http, device_id, told["token"]) == 202
    assert (await http.delete(f"/devices/{device_id}", headers=desk.user.headers)).status_code == 204
    assert await _sends(http, device_id, told["token"]) == 401
    assert problem(await http.delete(f"/devices/{device_id}", headers=desk.user.headers))["status"] == 404
    assert await desk.audited(device_id) == ["device.register", "device.delete"]
    await _register(http, desk.user, device_serial=serial)


async def test_a_revoked_token_is_refused_until_there_is_a_new_one(http: httpx.AsyncClient, desk: Desk) -> None:
    told = await _register(http, desk.user)
    device_id = told["device"]["device_id"]
    assert await _sends(http, device_id, told["token"]) == 202
    assert (await http.delete(f"/devices/{device_id}/token", headers=desk.user.headers)).status_code == 204
    assert await _sends(http, device_id, told["token"]) == 401
    rotated = (await http.post(f"/devices/{device_id}/token", headers=desk.user.headers)).json()
    assert await _sends(http, device_id, rotated["token"]) == 202


@pytest.mark.parametrize(("method", "below"), [("PUT", ""), ("DELETE", ""), ("POST", "/token"), ("DELETE", "/token")])
async def test_a_doctor_changes_no_patients_device_and_others_dont_see_it(
    http: httpx.AsyncClient, desk: Desk, newcomer: Person, method: str, below: str
) -> None:
    told = await _register(http, newcomer)
    path = f"/devices/{told['device']['device_id']}{below}"
    body = {"model": "X"} if method == "PUT" else None
    assert problem(await http.request(method, path, headers=desk.doctor.headers, json=body))["status"] == 404
    care = f"/users/{newcomer.user_id}/doctors/{desk.doctor.user_id}"
    assert (await http.put(care, headers=desk.admin.headers)).status_code == 200
    assert problem(await http.request(method, path, headers=desk.doctor.headers, json=body))["status"] == 403
    assert problem(await http.request(method, path, headers=desk.user.headers, json=body))["status"] == 404
    assert await _sends(http, told["device"]["device_id"], told["token"]) == 202
