"""Users are unique without regard to case, and each caller sees their own."""

from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest
from psycopg import AsyncConnection

from schemas.clock import to_datetime
from schemas.errors import Duplicate, NotFound
from schemas.pages import PageRequest
from storage.access import everything
from storage.accounts import NewUser, create_user, credentials, list_users, touch_login, user
from tests.storage.made import HASH, START_US, a_user, access_of


async def test_a_user_comes_back_as_made(conn: AsyncConnection) -> None:
    name = f"Ada-{uuid4()}"
    made = await create_user(conn, NewUser(name, HASH, "doctor", email=f"{name}@x.org", age=36, full_name="Ada L."))
    assert await user(conn, everything(), made.user_id) == made
    assert (made.username, made.role, made.age, made.is_active, made.last_login) == (name, "doctor", 36, True, None)


@pytest.mark.parametrize("field", ["username", "email", "serial_number"])
async def test_a_taken_value_is_a_duplicate_that_names_it(conn: AsyncConnection, field: str) -> None:
    taken: dict[str, Any] = {field: f"x-{uuid4()}"}
    await create_user(conn, replace(NewUser(f"a-{uuid4()}", HASH), **taken))
    with pytest.raises(Duplicate, match=f"choose another {field}"):
        await create_user(conn, replace(NewUser(f"b-{uuid4()}", HASH), **taken))


async def test_letter_case_makes_no_other_user(conn: AsyncConnection) -> None:
    made = await a_user(conn)
    with pytest.raises(Duplicate):
        await create_user(conn, NewUser(made.username.upper(), HASH))


async def test_a_duplicate_leaves_the_transaction_usable(conn: AsyncConnection) -> None:
    made = await a_user(conn)
    with pytest.raises(Duplicate):
        await create_user(conn, NewUser(made.username, HASH))
    assert await user(conn, everything(), made.user_id) == made


async def test_credentials_are_found_by_name_in_any_case(conn: AsyncConnection) -> None:
    made = await a_user(conn)
    found = await credentials(conn, made.username.upper())
    assert found is not None
    assert (found.user, found.password_hash) == (made, HASH)
    assert await credentials(conn, "nobody") is None


async def test_a_login_is_noted(conn: AsyncConnection) -> None:
    made = await a_user(conn)
    await touch_login(conn, made.user_id, to_datetime(START_US))
    assert (await user(conn, everything(), made.user_id)).last_login == to_datetime(START_US)


async def test_another_user_is_not_found(conn: AsyncConnection) -> None:
    me, other = await a_user(conn), await a_user(conn)
    assert await user(conn, access_of(me), me.user_id) == me
    with pytest.raises(NotFound):
        await user(conn, access_of(me), other.user_id)
    with pytest.raises(NotFound):
        await user(conn, everything(), uuid4())


async def test_a_doctor_sees_patients_until_the_care_ends(conn: AsyncConnection) -> None:
    doctor, patient = await a_user(conn, "doctor"), await a_user(conn)
    care = [doctor.user_id, patient.user_id]
    await conn.execute("INSERT INTO care_assignments (doctor_id, patient_id) VALUES (%s, %s)", care)
    assert await user(conn, access_of(doctor), patient.user_id) == patient
    await conn.execute("UPDATE care_assignments SET ended_at = now() WHERE doctor_id = %s AND patient_id = %s", care)
    with pytest.raises(NotFound):
        await user(conn, access_of(doctor), patient.user_id)


async def test_pages_cut_the_list_and_count_all_of_it(conn: AsyncConnection) -> None:
    before = (await list_users(conn, everything(), PageRequest(1, 1))).total
    for _ in range(3):
        await a_user(conn)
    pages = [await list_users(conn, everything(), PageRequest(number, 2)) for number in range(1, before // 2 + 3)]
    names = [found.username for page in pages for found in page.items]
    assert names == sorted(set(names), key=str.lower)
    assert {page.total for page in pages} == {before + 3} == {len(names)}
    assert (await list_users(conn, everything(), PageRequest(999, 2))).items == []
