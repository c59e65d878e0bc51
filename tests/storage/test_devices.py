"""Devices come in by their token, and are seen by their owner."""

from datetime import timedelta
from uuid import uuid4

import pytest
from psycopg import AsyncConnection

from schemas.accounts import DeviceCaller
from schemas.clock import to_datetime
from schemas.errors import Duplicate, NotFound
from schemas.pages import PageRequest
from storage.access import everything
from storage.devices import DeviceOwner, NewDevice, by_token, device, list_devices, owners, register, set_token, touch
from tests.storage.made import START_US, a_device, a_user, access_of

NOW = to_datetime(START_US)


async def test_a_registered_device_comes_in_by_its_token(conn: AsyncConnection) -> None:
    user, token = await a_user(conn), uuid4().bytes
    made = await register(conn, NewDevice(user.user_id, device_name="Bed 4"), token)
    assert await by_token(conn, token) == DeviceCaller(made.device_id, user.user_id)
    assert await device(conn, access_of(user), made.device_id) == made
    assert made.device_name == "Bed 4"


async def test_a_serial_number_is_registered_once(conn: AsyncConnection) -> None:
    new = NewDevice(None, device_serial=f"SN-{uuid4()}")
    await register(conn, new, uuid4().bytes)
    with pytest.raises(Duplicate, match="rotate its token"):
        await register(conn, new, uuid4().bytes)


async def test_a_device_of_nobody_known_is_refused(conn: AsyncConnection) -> None:
    with pytest.raises(NotFound, match="create the user first"):
        await register(conn, NewDevice(uuid4()), uuid4().bytes)


async def test_a_new_token_ends_the_old_one(conn: AsyncConnection) -> None:
    old, new = uuid4().bytes, uuid4().bytes
    made = await register(conn, NewDevice(None), old)
    await set_token(conn, everything(), made.device_id, new)
    assert await by_token(conn, old) is None
    assert await by_token(conn, new) == DeviceCaller(made.device_id, None)


async def test_a_device_that_is_switched_off_does_not_come_in(conn: AsyncConnection) -> None:
    token = uuid4().bytes
    made = await register(conn, NewDevice(None), token)
    await conn.execute("UPDATE devices SET is_active = false WHERE device_id = %s", [made.device_id])
    assert await by_token(conn, token) is None


async def test_the_device_of_another_can_be_neither_seen_nor_changed(conn: AsyncConnection) -> None:
    me, other = await a_user(conn), await a_user(conn)
    theirs = await a_device(conn, other.user_id)
    with pytest.raises(NotFound):
        await device(conn, access_of(me), theirs.device_id)
    with pytest.raises(NotFound):
        await set_token(conn, access_of(me), theirs.device_id, b"mine now")


async def test_a_list_holds_what_the_caller_may_see(conn: AsyncConnection) -> None:
    me, other = await a_user(conn), await a_user(conn)
    mine = [await a_device(conn, me.user_id) for _ in range(2)]
    theirs = await a_device(conn, other.user_id)
    own = await list_devices(conn, access_of(me), PageRequest())
    assert ({found.device_id for found in own.items}, own.total) == ({made.device_id for made in mine}, 2)
    assert (await list_devices(conn, everything(), PageRequest(), user_id=other.user_id)).items == [theirs]


async def test_owners_leave_out_the_unknown(conn: AsyncConnection) -> None:
    user = await a_user(conn)
    made = await a_device(conn, user.user_id)
    known = await owners(conn, [made.device_id, uuid4()])
    assert known == {made.device_id: DeviceOwner(made.device_id, user.user_id, is_active=True)}
    assert await owners(conn, []) == {}


async def test_last_seen_never_goes_back(conn: AsyncConnection) -> None:
    made = await a_device(conn, None)
    await touch(conn, {made.device_id: NOW})
    await touch(conn, {made.device_id: NOW - timedelta(seconds=1)})
    assert (await device(conn, everything(), made.device_id)).last_seen == NOW
