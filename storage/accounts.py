"""Users: who exists, and what is needed to log them in."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from psycopg import AsyncConnection, sql
from psycopg.errors import UniqueViolation

from schemas.accounts import Role, User
from schemas.errors import Duplicate, NotFound
from schemas.pages import Page, PageRequest
from storage import pages
from storage.access import Access
from storage.pages import Key, Listing
from storage.rows import fetch_all, fetch_one

COLUMNS: Final = sql.SQL("""
    u.user_id, u.username, u.email, u.full_name, u.age, u.gender, u.phone, u.address, u.serial_number, u.role,
    u.is_active, u.created_at, u.updated_at, u.last_login""")
"""Of a row `u` of users, as User has them."""

BY_NAME: Final = (Key("lower(u.username)", "text"), Key("u.user_id", "uuid"))

_FIELD_BY_CONSTRAINT: Final = {
    "users_username_key": "username",
    "users_email_key": "email",
    "users_serial_number_key": "serial_number",
}


@dataclass(frozen=True, slots=True)
class NewUser:
    """A user to be made; `password_hash` is Argon2's encoded text."""

    username: str
    password_hash: str
    role: Role = "user"
    email: str | None = None
    full_name: str | None = None
    age: int | None = None
    gender: str | None = None
    phone: str | None = None
    address: str | None = None
    serial_number: str | None = None


@dataclass(frozen=True, slots=True)
class Credentials:
    """A user and the hash to verify their password against."""

    user: User
    password_hash: str


async def create_user(conn: AsyncConnection, new: NewUser) -> User:
    """Insert a user. Raises Duplicate if the name, email or serial number is taken (letter case aside)."""
    query = sql.SQL("""
        INSERT INTO users AS u (
            username, password_hash, role, email, full_name, age, gender, phone, address, serial_number
        ) VALUES (
            %(username)s, %(password_hash)s, %(role)s, %(email)s, %(full_name)s, %(age)s, %(gender)s, %(phone)s,
            %(address)s, %(serial_number)s
        )
        RETURNING {columns}
    """).format(columns=COLUMNS)
    try:
        async with conn.transaction():
            [created] = await fetch_all(conn, User, query, asdict(new))
    except UniqueViolation as error:
        raise taken(error) from error
    return created


def taken(error: UniqueViolation) -> Duplicate:
    """What the violation of one of users' unique indexes says to a person."""
    field = _FIELD_BY_CONSTRAINT.get(error.diag.constraint_name or "", "value")
    return Duplicate(f"a user with this {field} exists already; choose another {field}")


async def user(conn: AsyncConnection, access: Access, user_id: UUID) -> User:
    """One user. Raises NotFound; one that was deleted is not found either."""
    query = sql.SQL("""
        SELECT {columns}
        FROM users AS u
        WHERE u.user_id = %(user_id)s AND u.deleted_at IS NULL AND {scope}
    """).format(columns=COLUMNS, scope=access.clause("u.user_id"))
    found = await fetch_one(conn, User, query, {**access.params, "user_id": user_id})
    if found is None:
        raise not_found(user_id)
    return found


def not_found(user_id: UUID) -> NotFound:
    return NotFound(f"no user {user_id} among those you may see; list them with GET users")


async def list_users(conn: AsyncConnection, access: Access, page: PageRequest) -> Page[User]:
    """Users by name."""
    listing = Listing(
        columns=COLUMNS,
        source=sql.SQL("users AS u"),
        where=sql.SQL("u.deleted_at IS NULL AND {scope}").format(scope=access.clause("u.user_id")),
        order=BY_NAME,
    )
    return await pages.fetch(conn, User, listing, page, access.params)


async def credentials(conn: AsyncConnection, username: str) -> Credentials | None:
    """The user of that name (letter case aside) and their hash, active or not; None if there is no such user."""
    query = sql.SQL("""
        SELECT {columns}
        FROM users AS u
        WHERE lower(u.username) = lower(%(username)s) AND u.deleted_at IS NULL
    """).format(columns=COLUMNS)
    found = await fetch_one(conn, User, query, {"username": username})
    if found is None:
        return None
    cursor = await conn.execute("SELECT password_hash FROM users WHERE user_id = %s", [found.user_id])
    row = await cursor.fetchone()
    return Credentials(found, row[0]) if row else None


async def touch_login(conn: AsyncConnection, user_id: UUID, at: datetime) -> None:
    """Note a successful login."""
    await conn.execute("UPDATE users SET last_login = %s WHERE user_id = %s", [at, user_id])
