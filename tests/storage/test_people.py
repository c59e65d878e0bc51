"""People are changed and deleted, doctors look after patients, and somebody is always admin."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from psycopg import AsyncConnection

from schemas.accounts import DeviceCaller
from schemas.clock import now
from schemas.errors import Duplicate, Malformed, NotFound, StillNeeded
from schemas.pages import PageRequest
from storage import care, sessions
from storage.access import everything
from storage.account_changes import delete_user, update_user
from storage.accounts import NewUser, create_user, credentials, list_users, user
from storage.device_changes import delete_device, update_device
from storage.devices import NewDevice, by_token, device, list_devices, register
from storage.live import live_devices
from storage.managed import UserFilter, devices_of, list_managed, managed_user
from storage.metrics import MetricsFilter, list_metrics
from storage.metrics_posted import PostedMetrics, device_for, write_posted
from tests.storage.made import HASH, a_device, a_patient, a_user, access_of, latest_metrics, metrics_at, write_metrics


async def _session(conn: AsyncConnection, user_id: UUID) -> UUID:
    session_id = uuid4()
    until = now() + timedelta(days=1)
    await sessions.open_session(conn, session_id, user_id, b"x", None, None, until)
    return session_id


async def test_only_what_is_named_changes(conn: AsyncConnection) -> None:
    made = await a_user(conn)
    changed = await update_user(conn, made.user_id, {"full_name": "Ada", "age": 36}, now())
    assert (changed.full_name, changed.age, changed.username, changed.role) == ("Ada", 36, made.username, "user")
    assert changed.updated_at > made.updated_at
    assert await user(conn, everything(), made.user_id) == changed


async def test_a_taken_name_stays_whose_it_is(conn: AsyncConnection) -> None:
    first, second = await a_user(conn), await a_user(conn)
    with pytest.raises(Duplicate, match="choose another username"):
        await update_user(conn, second.user_id, {"username": first.username.upper()}, now())
    assert await user(conn, everything(), second.user_id) == second


async def test_the_last_active_admin_is_neither_demoted_nor_deleted(conn: AsyncConnection) -> None:
    await conn.execute("UPDATE users SET is_active = false WHERE role = 'admin'")
    first, second = await a_user(conn, "admin"), await a_user(conn, "admin")
    await update_user(conn, second.user_id, {"is_active": False}, now())
    for changes in ({"role": "user"}, {"is_active": False}):
        with pytest.raises(StillNeeded, match="make another user an admin first"):
            async with conn.transaction():
                await update_user(conn, first.user_id, changes, now())
    with pytest.raises(StillNeeded):
        async with conn.transaction():
            await delete_user(conn, first.user_id, now())
    await delete_user(conn, second.user_id, now())
    assert (await user(conn, everything(), first.user_id)).role == "admin"


async def test_deleting_ends_everything_but_the_data(conn: AsyncConnection) -> None:
    patient, doctor = await a_patient(conn), await a_user(conn, "doctor")
    session_id = await _session(conn, patient.user.user_id)
    await write_metrics(conn, [metrics_at(patient.recording, 0)], patient.owner)
    await care.assign(conn, patient.user.user_id, doctor.user_id, now())
    assert (await delete_user(conn, patient.user.user_id, now())).device_ids == [patient.device.device_id]
    assert not await sessions.is_open(conn, session_id, now())
    assert (await care.patients_of(conn, everything(), doctor.user_id, PageRequest())).items == []
    for gone in (user(conn, everything(), patient.user.user_id), device(conn, everything(), patient.device.device_id)):
        with pytest.raises(NotFound):
            await gone
    with pytest.raises(NotFound):
        await delete_user(conn, patient.user.user_id, now())
    kept = await list_metrics(conn, everything(), MetricsFilter(user_id=patient.user.user_id), PageRequest())
    assert kept.total == 1
    assert await latest_metrics(conn, everything(), user_id=patient.user.user_id) == []
    assert await credentials(conn, patient.user.username) is None


async def test_what_was_unique_is_free_again(conn: AsyncConnection) -> None:
    new = NewUser(f"u-{uuid4()}", HASH, email=f"{uuid4()}@x.org", serial_number=str(uuid4()))
    serial = NewDevice(None, device_serial=f"SN-{uuid4()}")
    first, old = await create_user(conn, new), await register(conn, serial, uuid4().bytes)
    await delete_user(conn, first.user_id, now())
    await delete_device(conn, old.device_id, now())
    assert (await create_user(conn, new)).user_id != first.user_id
    assert (await register(conn, serial, uuid4().bytes)).device_id != old.device_id
    with pytest.raises(Duplicate):
        await create_user(conn, new)


async def test_the_deleted_show_to_admins_who_ask_for_them(conn: AsyncConnection) -> None:
    gone, here = await a_user(conn), await a_user(conn)
    owned = await a_device(conn, gone.user_id)
    await delete_user(conn, gone.user_id, now())
    assert await _listed(conn, deleted=True, q=gone.username[5:].upper()) == [gone.user_id]
    assert await _listed(conn, q=gone.username) == []
    assert await _listed(conn, q=here.username, role="user", is_active=True) == [here.user_id]
    assert await _listed(conn, q=here.username, is_active=False) == []
    assert await _listed(conn, q="%", deleted=None) == []
    assert (await managed_user(conn, gone.user_id)).deleted_at is not None
    assert [found.device_id for found in await devices_of(conn, gone.user_id)] == [owned.device_id]
    names = [found.username for found in (await list_users(conn, everything(), PageRequest(1, 500))).items]
    assert gone.username not in names


async def _listed(conn: AsyncConnection, **wanted: object) -> list[UUID]:
    page = await list_managed(conn, UserFilter(**wanted), PageRequest())  # type: ignore[arg-type]  # the test names real fields
    return [found.user_id for found in page.items]


async def test_care_is_seen_from_both_sides_until_it_ends(conn: AsyncConnection) -> None:
    doctor, patient = await a_user(conn, "doctor"), await a_user(conn)
    made = await care.assign(conn, patient.user_id, doctor.user_id, now())
    assert await care.assign(conn, patient.user_id, doctor.user_id, now()) == made
    [party] = (await care.doctors_of(conn, patient.user_id, PageRequest())).items
    assert (party.user_id, party.assigned_at) == (doctor.user_id, made.assigned_at)
    assert await user(conn, access_of(doctor), patient.user_id) == patient
    await care.end(conn, patient.user_id, doctor.user_id, now())
    assert (await care.doctors_of(conn, patient.user_id, PageRequest())).items == []
    with pytest.raises(NotFound, match="does not look after"):
        await care.end(conn, patient.user_id, doctor.user_id, now())


async def test_who_is_no_doctor_any_more_looks_after_nobody(conn: AsyncConnection) -> None:
    doctor, patient = await a_user(conn, "doctor"), await a_user(conn)
    await care.assign(conn, patient.user_id, doctor.user_id, now())
    await update_user(conn, doctor.user_id, {"role": "user"}, now())
    await update_user(conn, doctor.user_id, {"role": "doctor"}, now())
    with pytest.raises(NotFound):
        await user(conn, access_of(doctor), patient.user_id)
    with pytest.raises(Malformed, match="no doctor"):
        await care.assign(conn, doctor.user_id, patient.user_id, now())


async def test_a_device_changes_hands_and_its_history_does_not(conn: AsyncConnection) -> None:
    patient, heir = await a_patient(conn), await a_user(conn)
    await write_metrics(conn, [metrics_at(patient.recording, 0)], patient.owner)
    changed = await update_device(conn, patient.device.device_id, {"user_id": heir.user_id, "device_name": "Bed 4"})
    assert (changed.user_id, changed.device_name) == (heir.user_id, "Bed 4")
    assert (await list_metrics(conn, access_of(heir), MetricsFilter(), PageRequest())).items == []
    assert (await list_metrics(conn, patient.access, MetricsFilter(), PageRequest())).total == 1
    with pytest.raises(NotFound, match="create the user first"):
        await update_device(conn, patient.device.device_id, {"user_id": uuid4()})


async def test_a_deleted_device_is_in_no_list_and_does_not_come_in(conn: AsyncConnection) -> None:
    owner, token = await a_user(conn), uuid4().bytes
    made = await register(conn, NewDevice(owner.user_id), token)
    assert await by_token(conn, token) == DeviceCaller(made.device_id, owner.user_id)
    await delete_device(conn, made.device_id, now())
    assert await by_token(conn, token) is None
    assert (await list_devices(conn, access_of(owner), PageRequest())).items == []
    with pytest.raises(NotFound):
        await delete_device(conn, made.device_id, now())


async def test_posted_metrics_are_listed_latest_and_live(conn: AsyncConnection) -> None:
    owner, at = await a_user(conn), now()
    made = await device_for(conn, owner.user_id, at)
    posted = PostedMetrics(at, heart_rate=71.6, qtc_interval=405)
    first = await write_posted(conn, made.device_id, owner.user_id, posted, at)
    again = await write_posted(conn, made.device_id, owner.user_id, PostedMetrics(at, heart_rate=99), at)
    assert (first.is_new, again.is_new, again.row) == (True, False, first.row)
    assert (first.row.heart_rate, first.row.qtc_ms, first.row.seconds, first.row.leads) == (72, 405.0, 1, [])
    access = access_of(owner)
    assert (await list_metrics(conn, access, MetricsFilter(), PageRequest())).items == [first.row]
    assert await latest_metrics(conn, access) == [first.row]
    assert [found.heart_rate for found in (await live_devices(conn, access, at)).items] == [72]
    assert await device_for(conn, owner.user_id, at) == await device(conn, access, made.device_id)
