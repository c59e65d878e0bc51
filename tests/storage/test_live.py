"""The live list holds who was heard of just now, with the owner's figures only."""

from datetime import timedelta

from psycopg import AsyncConnection

from schemas.clock import to_datetime
from storage.access import everything
from storage.devices import touch
from storage.live import live_devices
from tests.storage.made import START_US, a_device, a_patient, a_user, access_of, metrics_at, write_metrics

NOW = to_datetime(START_US)


async def test_a_device_with_metrics_is_live_with_its_newest_figures(conn: AsyncConnection) -> None:
    patient = await a_patient(conn)
    made = [metrics_at(patient.recording, second, heart_rate_bpm=60 + second) for second in range(3)]
    await write_metrics(conn, made, patient.owner)
    [found] = (await live_devices(conn, patient.access, NOW)).items
    assert (found.heart_rate, found.patient_name) == (62, patient.user.username)
    assert (found.device_id, found.recording_id) == (patient.device.device_id, patient.recording.recording_id)
    assert (await live_devices(conn, patient.access, NOW + timedelta(minutes=1))).items == []


async def test_a_device_heard_of_without_metrics_is_live(conn: AsyncConnection) -> None:
    made = await a_device(conn, None)
    await touch(conn, {made.device_id: NOW})
    [found] = [row for row in (await live_devices(conn, everything(), NOW)).items if row.device_id == made.device_id]
    assert (found.heart_rate, found.patient_name, found.last_seen) == (None, None, NOW)


async def test_the_devices_of_another_are_not_live_to_me(conn: AsyncConnection) -> None:
    patient = await a_patient(conn)
    await write_metrics(conn, [metrics_at(patient.recording, 0)], patient.owner)
    assert (await live_devices(conn, access_of(await a_user(conn)), NOW)).items == []
