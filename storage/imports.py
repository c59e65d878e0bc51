"""Imports: rows with ids of their own choice, for what an old system has left; what is there is never changed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from uuid import UUID

from psycopg import AsyncConnection, sql

_INSERTS: Final = {
    "users": sql.SQL("""
        INSERT INTO users (
            user_id, username, password_hash, role, email, full_name, age, gender, phone, address, serial_number,
            is_active, created_at, last_login
        )
        VALUES (
            %(user_id)s, %(username)s, %(password_hash)s, %(role)s, %(email)s, %(full_name)s, %(age)s, %(gender)s,
            %(phone)s, %(address)s, %(serial_number)s, %(is_active)s, coalesce(%(created_at)s, now()), %(last_login)s
        )
        ON CONFLICT DO NOTHING
    """),
    "upload_logs": sql.SQL("""
        INSERT INTO upload_logs (
            log_id, user_id, file_path, filename, file_type, cloud_service, cloud_url, upload_status, error_message,
            uploaded_at
        )
        VALUES (
            %(log_id)s, %(owner_id)s, %(file_path)s, %(filename)s, %(file_type)s, %(cloud_service)s, %(cloud_url)s,
            %(upload_status)s, %(error_message)s, %(uploaded_at)s
        )
        ON CONFLICT DO NOTHING
    """),
    "ecg_reports": sql.SQL("""
        INSERT INTO ecg_reports (
            report_id, user_id, filename, file_path_s3, file_size, sha256, file_type, heart_rate, pr_interval,
            qrs_duration, qtc_interval, st_segment, qrs_axis, patient_name, patient_age, report_date, machine_serial,
            upload_status, cloud_service, cloud_url, created_at, uploaded_at
        )
        VALUES (
            %(report_id)s, %(owner_id)s, %(filename)s, %(key)s, %(file_size)s, %(sha256)s, %(file_type)s,
            %(heart_rate)s, %(pr_interval)s, %(qrs_duration)s, %(qtc_interval)s, %(st_segment)s, %(qrs_axis)s,
            %(patient_name)s, %(patient_age)s, %(report_date)s, %(machine_serial)s, %(upload_status)s,
            %(cloud_service)s, %(cloud_url)s, coalesce(%(created_at)s, %(report_date)s, now()), %(uploaded_at)s
        )
        ON CONFLICT DO NOTHING
    """),
}
_KEYS: Final = {"users": "user_id", "upload_logs": "log_id", "ecg_reports": "report_id"}


async def insert(conn: AsyncConnection, table: str, row: Mapping[str, object]) -> bool:
    """Insert one row into users, upload_logs or ecg_reports; False, and nothing changed, when it is there already."""
    cursor = await conn.execute(_INSERTS[table], row)
    return cursor.rowcount == 1


async def is_there(conn: AsyncConnection, table: str, row_id: UUID) -> bool:
    """Whether the row with that id is in users, upload_logs or ecg_reports."""
    query = sql.SQL("SELECT EXISTS (SELECT FROM {} WHERE {} = %s)").format(
        sql.Identifier(table), sql.Identifier(_KEYS[table])
    )
    return (await (await conn.execute(query, [row_id])).fetchone()) == (True,)


async def owner(conn: AsyncConnection, username: str | None, serial_number: str | None) -> UUID | None:
    """The user of that name (letter case aside), else of that serial number."""
    cursor = await conn.execute(
        """
        SELECT user_id
        FROM users
        WHERE deleted_at IS NULL AND (lower(username) = lower(%(username)s) OR serial_number = %(serial_number)s)
        ORDER BY lower(username) = lower(%(username)s) DESC NULLS LAST
        LIMIT 1
        """,
        {"username": username, "serial_number": serial_number},
    )
    row = await cursor.fetchone()
    return row[0] if row else None


async def taken(conn: AsyncConnection, username: str, email: str | None, serial_number: str | None) -> set[str]:
    """Which of username, email and serial_number another user has."""
    cursor = await conn.execute(
        """
        SELECT
            bool_or(lower(username) = lower(%(username)s)), bool_or(lower(email) = lower(%(email)s)),
            bool_or(serial_number = %(serial_number)s)
        FROM users
        WHERE deleted_at IS NULL
            AND (
                lower(username) = lower(%(username)s)
                OR lower(email) = lower(%(email)s)
                OR serial_number = %(serial_number)s
            )
        """,
        {"username": username, "email": email, "serial_number": serial_number},
    )
    row = await cursor.fetchone() or (None, None, None)
    return {name for name, is_taken in zip(("username", "email", "serial_number"), row, strict=True) if is_taken}
