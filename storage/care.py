"""Care: which doctor looks after which patient, from when to when."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from psycopg import AsyncConnection, sql

from schemas.errors import Malformed, NotFound
from schemas.pages import Page, PageRequest
from storage import pages
from storage.access import Access
from storage.pages import Key, Listing
from storage.rows import fetch_all

_ORDER: Final = (Key("c.assigned_at", "timestamptz"), Key("u.user_id", "uuid"))


@dataclass(frozen=True, slots=True)
class Care:
    """A doctor who looks after a patient."""

    doctor_id: UUID
    patient_id: UUID
    assigned_at: datetime


@dataclass(frozen=True, slots=True)
class Party:
    """The doctor, or the patient, at the other end of a care that lasts."""

    user_id: UUID
    username: str
    full_name: str | None
    assigned_at: datetime


async def assign(conn: AsyncConnection, patient_id: UUID, doctor_id: UUID, at: datetime) -> Care:
    """Let a doctor look after a patient; doing it again changes nothing.

    Raises NotFound for a user who is not there, Malformed for a doctor who is none or their own patient.
    """
    await _check(conn, patient_id, doctor_id)
    query = sql.SQL("""
        INSERT INTO care_assignments (doctor_id, patient_id, assigned_at)
        VALUES (%(doctor_id)s, %(patient_id)s, %(at)s)
        ON CONFLICT (doctor_id, patient_id) WHERE ended_at IS NULL DO NOTHING
    """)
    params = {"doctor_id": doctor_id, "patient_id": patient_id, "at": at}
    await conn.execute(query, params)
    standing = sql.SQL("""
        SELECT doctor_id, patient_id, assigned_at
        FROM care_assignments
        WHERE doctor_id = %(doctor_id)s AND patient_id = %(patient_id)s AND ended_at IS NULL
    """)
    [made] = await fetch_all(conn, Care, standing, params)
    return made


@dataclass(frozen=True, slots=True)
class _Person:
    user_id: UUID
    role: str


async def _check(conn: AsyncConnection, patient_id: UUID, doctor_id: UUID) -> None:
    """With a lock, so that neither is deleted, nor the doctor made something else, meanwhile."""
    query = sql.SQL("""
        SELECT user_id, role
        FROM users
        WHERE user_id = ANY(%(both)s::uuid[]) AND deleted_at IS NULL
        ORDER BY user_id
        FOR SHARE
    """)
    people = await fetch_all(conn, _Person, query, {"both": [patient_id, doctor_id]})
    role_by_id = {person.user_id: person.role for person in people}
    for user_id in (patient_id, doctor_id):
        if user_id not in role_by_id:
            raise NotFound(f"no user {user_id}; list them with GET users")
    if role_by_id[doctor_id] != "doctor":
        raise Malformed(
            f"user {doctor_id} is a {role_by_id[doctor_id]}, no doctor; name a doctor, or make them one "
            "first (PUT users)"
        )
    if doctor_id == patient_id:
        raise Malformed(f"user {doctor_id} would be their own doctor, and sees their own data anyway; name a patient")


async def end(conn: AsyncConnection, patient_id: UUID, doctor_id: UUID, at: datetime) -> None:
    """The doctor looks after the patient no more. Raises NotFound."""
    cursor = await conn.execute(
        """
        UPDATE care_assignments
        SET ended_at = greatest(assigned_at, %s)
        WHERE patient_id = %s AND doctor_id = %s AND ended_at IS NULL
        """,
        [at, patient_id, doctor_id],
    )
    if cursor.rowcount == 0:
        raise NotFound(
            f"user {doctor_id} does not look after user {patient_id}; list those who do with GET users/{{id}}/doctors"
        )


async def end_all(conn: AsyncConnection, user_id: UUID, at: datetime) -> None:
    """End every care that a user gives or gets."""
    await conn.execute(
        """
        UPDATE care_assignments
        SET ended_at = greatest(assigned_at, %(at)s)
        WHERE (doctor_id = %(user_id)s OR patient_id = %(user_id)s) AND ended_at IS NULL
        """,
        {"user_id": user_id, "at": at},
    )


async def doctors_of(conn: AsyncConnection, patient_id: UUID, page: PageRequest) -> Page[Party]:
    """Who looks after a patient now, the longest first; whether the caller may see the patient is asked before."""
    where = sql.SQL("c.patient_id = %(user_id)s AND c.ended_at IS NULL AND u.deleted_at IS NULL")
    return await _parties(conn, sql.SQL("u.user_id = c.doctor_id"), where, page, {"user_id": patient_id})


async def patients_of(conn: AsyncConnection, access: Access, doctor_id: UUID, page: PageRequest) -> Page[Party]:
    """Whom a doctor looks after now, as far as the caller may see them, the longest first."""
    where = sql.SQL("c.doctor_id = %(user_id)s AND c.ended_at IS NULL AND u.deleted_at IS NULL AND {scope}").format(
        scope=access.clause("u.user_id")
    )
    params = {**access.params, "user_id": doctor_id}
    return await _parties(conn, sql.SQL("u.user_id = c.patient_id"), where, page, params)


async def _parties(
    conn: AsyncConnection, joined: sql.SQL, where: sql.Composable, page: PageRequest, params: dict[str, object]
) -> Page[Party]:
    listing = Listing(
        columns=sql.SQL("u.user_id, u.username, u.full_name, c.assigned_at"),
        source=sql.SQL("care_assignments AS c JOIN users AS u ON ") + joined,
        where=where,
        order=_ORDER,
    )
    return await pages.fetch(conn, Party, listing, page, params)
