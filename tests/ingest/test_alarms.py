"""ecg/alarms and alarm-limits: a clinician takes note and sets limits, each audited; nobody else may."""

from __future__ import annotations

from uuid import UUID, uuid4

import httpx
import pytest
from aiokafka import AIOKafkaConsumer

from leadwire.embedded import free_port
from schemas import clock, topics
from schemas.alarms import CAN_BE_OFF, AlarmEvent
from schemas.codec import decode_alarm
from schemas.rhythms import ASYSTOLE, ATRIAL_FIBRILLATION
from schemas.samples import Recording
from schemas.settings import Settings
from storage import alarm_limits, alarms, devices
from storage.devices import NewDevice
from tests.ingest.desk import Desk, Person, problem, serving
from tests.storage.made import alarm_of

pytestmark = pytest.mark.embedded


@pytest.fixture
async def alarm(desk: Desk, newcomer: Person) -> AlarmEvent:
    """A latched alarm of the newcomer's, whose condition is over."""
    async with desk.database.transaction() as conn:
        device = await devices.register(conn, NewDevice(newcomer.user_id), uuid4().bytes)
        recording = Recording(uuid4(), device.device_id, newcomer.user_id, 0, 250.0, ("II",), (5.0,))
        [stored] = await alarms.write_alarms(conn, [alarm_of(recording, ASYSTOLE, clock.now_us(), ended_s=5)])
    return stored


async def care_for(desk: Desk, patient_id: UUID) -> None:
    async with desk.database.transaction() as conn:
        await conn.execute(
            "INSERT INTO care_assignments (doctor_id, patient_id) VALUES (%s, %s)", [desk.doctor.user_id, patient_id]
        )


async def test_a_clinician_acknowledges_once_and_it_is_audited_once(
    http: httpx.AsyncClient, desk: Desk, alarm: AlarmEvent
) -> None:
    path = f"/ecg/alarms/{alarm.alarm_id}/acknowledge"
    answers = [await http.post(path, headers=desk.admin.headers) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[0].json() == answers[1].json()
    told = answers[0].json()
    assert (told["state"], UUID(told["acknowledged_by"])) == ("cleared", desk.admin.user_id)
    assert await desk.audited(alarm.alarm_id) == ["alarm.acknowledge"]


async def test_everybody_learns_of_it(
    http: httpx.AsyncClient, desk: Desk, alarm: AlarmEvent, settings: Settings
) -> None:
    reading = AIOKafkaConsumer(topics.ALARMS, bootstrap_servers=settings.kafka.bootstrap, auto_offset_reset="earliest")
    await reading.start()
    await http.post(f"/ecg/alarms/{alarm.alarm_id}/acknowledge", headers=desk.admin.headers)
    async for record in reading:
        told = decode_alarm(record.value)
        if told.alarm_id == alarm.alarm_id:
            break
    await reading.stop()
    assert (told.state, told.acknowledged_by, record.key) == (
        "cleared", desk.admin.user_id, topics.device_key(alarm.device_id)
    )  # fmt: skip


async def test_a_doctor_acknowledges_their_patients_alarms_only(
    http: httpx.AsyncClient, desk: Desk, alarm: AlarmEvent
) -> None:
    path = f"/ecg/alarms/{alarm.alarm_id}/acknowledge"
    told = problem(await http.post(path, headers=desk.doctor.headers))
    assert (told["status"], await desk.audited(alarm.alarm_id)) == (404, [])
    assert alarm.user_id is not None
    await care_for(desk, alarm.user_id)
    assert (await http.post(path, headers=desk.doctor.headers)).status_code == 200


async def test_a_patient_may_not_acknowledge(http: httpx.AsyncClient, newcomer: Person, alarm: AlarmEvent) -> None:
    told = problem(await http.post(f"/ecg/alarms/{alarm.alarm_id}/acknowledge", headers=newcomer.headers))
    assert told["status"] == 403
    assert told["detail"] == "this is for doctors and admins and you are a user; ask one of them"


async def test_an_alarm_there_is_not_is_404(http: httpx.AsyncClient, desk: Desk) -> None:
    told = problem(await http.post(f"/ecg/alarms/{uuid4()}/acknowledge", headers=desk.admin.headers))
    assert told["status"] == 404
    assert "list them with GET ecg/alarms" in told["detail"]


async def test_without_kafka_it_is_noted_and_503_says_to_ask_again(
    settings: Settings, desk: Desk, alarm: AlarmEvent
) -> None:
    nowhere = settings.kafka.model_copy(update={"bootstrap": f"127.0.0.1:{free_port()}"})
    async with serving(settings, nowhere, timeout_s=0.2) as alone:
        told = problem(await alone.post(f"/ecg/alarms/{alarm.alarm_id}/acknowledge", headers=desk.admin.headers))
    assert told["status"] == 503
    assert await desk.audited(alarm.alarm_id) == ["alarm.acknowledge"]


async def test_limits_are_set_and_reset_by_a_clinician_and_audited(
    http: httpx.AsyncClient, desk: Desk, newcomer: Person
) -> None:
    path = f"/users/{newcomer.user_id}/alarm-limits"
    body = {"low_bpm": 45, "high_bpm": 130, "off": [ATRIAL_FIBRILLATION, ATRIAL_FIBRILLATION]}
    told = (await http.put(path, json=body, headers=desk.admin.headers)).json()
    assert (told["low_bpm"], told["high_bpm"], told["delay_s"], told["off"], told["is_default"]) == (
        45, 130, 3, [ATRIAL_FIBRILLATION], False
    )  # fmt: skip
    assert (await http.delete(path, headers=desk.admin.headers)).status_code == 204
    assert (await desk.audited(newcomer.user_id))[-2:] == ["alarm_limits.set", "alarm_limits.reset"]
    async with desk.database.transaction() as conn:
        assert newcomer.user_id not in await alarm_limits.by_device(conn)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"low_bpm": 10}, "low_bpm"),
        ({"low_bpm": 80, "high_bpm": 90}, "at least 20 above the low one"),
        ({"delay_s": 61}, "delay_s"),
        ({"off": [ASYSTOLE]}, f"'Asystole' can't be turned off; name only {CAN_BE_OFF[0]}"),
        ({"heigh_bpm": 90}, "heigh_bpm"),
    ],
)
async def test_limits_that_make_no_sense_are_422_and_say_what_would(
    http: httpx.AsyncClient, desk: Desk, newcomer: Person, body: dict[str, object], said: str
) -> None:
    told = problem(await http.put(f"/users/{newcomer.user_id}/alarm-limits", json=body, headers=desk.admin.headers))
    assert told["status"] == 422
    assert said in told["detail"]


async def test_limits_are_not_a_patient_s_to_set_nor_a_stranger_s(
    http: httpx.AsyncClient, desk: Desk, newcomer: Person
) -> None:
    path = f"/users/{newcomer.user_id}/alarm-limits"
    assert problem(await http.put(path, json={}, headers=newcomer.headers))["status"] == 403
    assert problem(await http.put(path, json={}, headers=desk.doctor.headers))["status"] == 404
    assert problem(await http.delete(path, headers=desk.doctor.headers))["status"] == 404
