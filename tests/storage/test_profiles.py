"""A profile changes where it is told to, and nowhere else."""

from __future__ import annotations

from uuid import uuid4

import pytest
from psycopg import AsyncConnection

from schemas.errors import Duplicate, NotFound
from storage.profiles import password_hash, set_password, update_profile
from tests.storage.made import a_user


async def test_what_is_told_is_changed_and_the_rest_stays(conn: AsyncConnection) -> None:
    user = await a_user(conn)
    await update_profile(conn, user.user_id, {"full_name": "Ada Example", "age": 36})
    changed = await update_profile(conn, user.user_id, {"age": None, "phone": "1"})
    assert (changed.full_name, changed.age, changed.phone) == ("Ada Example", None, "1")
    assert (changed.username, changed.role) == (user.username, user.role)


async def test_no_other_column_is_ever_changed(conn: AsyncConnection) -> None:
    user = await a_user(conn)
    changed = await update_profile(conn, user.user_id, {"role": "admin", "username": "x", "password_hash": "x"})
    assert (changed.role, changed.username) == ("user", user.username)


async def test_an_email_that_is_anothers_is_refused_letter_case_aside(conn: AsyncConnection) -> None:
    email = f"{uuid4()}@example.org"
    await update_profile(conn, (await a_user(conn)).user_id, {"email": email})
    with pytest.raises(Duplicate, match="choose another email"):
        await update_profile(conn, (await a_user(conn)).user_id, {"email": email.upper()})


async def test_a_password_is_kept_as_its_hash(conn: AsyncConnection) -> None:
    user = await a_user(conn)
    await set_password(conn, user.user_id, "$argon2id$another")
    assert await password_hash(conn, user.user_id) == "$argon2id$another"


async def test_nobody_has_neither(conn: AsyncConnection) -> None:
    with pytest.raises(NotFound):
        await password_hash(conn, uuid4())
    with pytest.raises(NotFound):
        await update_profile(conn, uuid4(), {"age": 1})
