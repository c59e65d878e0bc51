"""A month of data of 5,000 registered users, made by the database itself."""

from __future__ import annotations

import hashlib
import json
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final
from uuid import UUID

from psycopg import AsyncConnection

from storage.database import Connection, Database
from storage.migrate import migrations
from web import tokens

PASSWORD: Final = "correct horse battery"  # noqa: S105  # of people who don't exist
DAYS: Final = 30
DOCTORS: Final = 100
PATIENTS_OF_DOCTOR: Final = 50
ADMINS: Final = 5
_VERSION: Final = 1
"""What was made by another one is not used."""
_KEPT: Final = "made.json"


@dataclass(frozen=True, slots=True)
class Month:
    """How much there is; `cadence` is the seconds from one row of metrics to the next."""

    users: int
    cadence_s: int

    @property
    def name(self) -> str:
        """Of the folder it is kept in; one of another schema is another."""
        steps = migrations(timescale=False)
        schema = hashlib.sha256("".join(step.checksum for step in steps).encode()).hexdigest()[:8]
        return f"users-{self.users}-every-{self.cadence_s}-s-{schema}"


@dataclass(frozen=True, slots=True)
class Made:
    """What was made, and how long that took (0 for one that was kept)."""

    rows: dict[str, int]
    seconds: float


def user_id(number: int) -> UUID:
    """Of user, doctor or admin `number`, as the SQL below makes it."""
    return _uuid("user", number)


def device_id(number: int) -> UUID:
    return _uuid("device", number)


def recording_id(number: int, day: int) -> UUID:
    return _uuid(f"recording-{number}", day)


def doctor(month: Month, number: int = 1) -> int:
    """The number of a doctor as a user; their patients are the users (number − 1) × 50 + 1 … number × 50."""
    return month.users + number


def admin(month: Month) -> int:
    return month.users + DOCTORS + 1


def _uuid(kind: str, number: int) -> UUID:
    return UUID(hashlib.md5(f"{kind}-{number}".encode(), usedforsecurity=False).hexdigest())


def kept(folder: Path) -> Made | None:
    """What was made in the folder before."""
    file = folder / _KEPT
    told = json.loads(file.read_text("utf-8")) if file.exists() else {}
    return Made(told["rows"], 0) if told.get("version") == _VERSION else None


def keep(folder: Path, made: Made) -> None:
    """Note that it is all there."""
    (folder / _KEPT).write_text(json.dumps({"version": _VERSION, **asdict(made)}), "utf-8")


async def make(database: Database, month: Month) -> Made:
    """All of it into an empty schema."""
    started = time.perf_counter()
    rows: dict[str, int] = {}
    hashed = await tokens.hash_password(PASSWORD)
    for table, query in STEPS:
        async with database.transaction() as conn:
            rows[table] = await _run(conn, query, month, hashed)
    await _analyse(database)
    return Made(rows, round(time.perf_counter() - started, 1))


async def _run(conn: Connection, query: str, month: Month, hashed: str) -> int:
    await conn.execute("SET LOCAL statement_timeout = 0")
    await conn.execute("SET LOCAL synchronous_commit = off")
    people = month.users + DOCTORS + ADMINS
    params = {
        "users": month.users,
        "people": people,
        "doctors": DOCTORS,
        "patients": PATIENTS_OF_DOCTOR,
        "days": DAYS,
        "cadence": month.cadence_s,
        "hash": hashed,
    }
    cursor = await conn.execute(query.encode(), params)
    return cursor.rowcount


async def _analyse(database: Database) -> None:
    """As autovacuum does after a while: statistics, and which pages hold nothing but visible rows."""
    async with database.transaction() as conn:
        url = conn.info.dsn, conn.info.password
    async with await AsyncConnection.connect(url[0], password=url[1], autocommit=True) as alone:
        await alone.execute("VACUUM (ANALYZE)")


_PEOPLE: Final = """
    INSERT INTO users (user_id, username, email, password_hash, full_name, age, gender, serial_number, role, created_at)
    SELECT
        md5('user-' || n)::uuid,
        CASE
            WHEN n <= %(users)s THEN 'user' || lpad(n::text, 5, '0')
            WHEN n <= %(users)s + %(doctors)s THEN 'doctor' || n - %(users)s
            ELSE 'admin' || n - %(users)s - %(doctors)s
        END,
        'person' || n || '@example.org',
        %(hash)s,
        'Person ' || n,
        20 + n %% 70,
        CASE n %% 2 WHEN 0 THEN 'female' ELSE 'male' END,
        'P-' || n,
        CASE WHEN n <= %(users)s THEN 'user' WHEN n <= %(users)s + %(doctors)s THEN 'doctor' ELSE 'admin' END,
        now() - make_interval(days => %(days)s, secs => n)
    FROM generate_series(1, %(people)s) AS n
"""
_CARE: Final = """
    INSERT INTO care_assignments (doctor_id, patient_id)
    SELECT md5('user-' || %(users)s + d)::uuid, md5('user-' || (d - 1) * %(patients)s + p)::uuid
    FROM generate_series(1, %(doctors)s) AS d
    CROSS JOIN generate_series(1, %(patients)s) AS p
    WHERE (d - 1) * %(patients)s + p <= %(users)s
"""
_DEVICES: Final = """
    INSERT INTO devices (
        device_id, user_id, device_type, device_serial, device_name, manufacturer, model, firmware_version, token_hash,
        registered_at, last_seen
    )
    SELECT
        md5('device-' || n)::uuid, md5('user-' || n)::uuid, 'ecg', 'SN-' || n, 'Bed ' || n, 'Example Medical', 'E12',
        '1.4.2', sha256(convert_to('lwd_bench-' || n, 'UTF8')), now() - make_interval(days => %(days)s, secs => n),
        now() - make_interval(secs => n %% 50)
    FROM generate_series(1, %(users)s) AS n
"""
_RECORDINGS: Final = """
    INSERT INTO recordings (
        recording_id, device_id, user_id, started_at, rate_hz, leads, uv_per_lsb, first_index, end_index, first_at,
        end_at, longest
    )
    SELECT
        md5('recording-' || n || '-' || day)::uuid, md5('device-' || n)::uuid, md5('user-' || n)::uuid, made.at, 250,
        '{II,V1}', '{2.5,2.5}', 0, 21600000, made.at, made.at + interval '1 day', 21600000
    FROM generate_series(1, %(days)s) AS day
    CROSS JOIN generate_series(1, %(users)s) AS n
    CROSS JOIN LATERAL (SELECT now() - make_interval(days => %(days)s - day + 1) AS at) AS made
"""
_WAVEFORMS: Final = """
    INSERT INTO ecg_waveforms (recording_id, device_id, first_index, sample_count, started_at, codec, data)
    SELECT r.recording_id, r.device_id, 0, 21600000, r.started_at, 0, ''
    FROM recordings AS r
"""
"""One row for a whole day, without its samples: lists tell where samples are, and never read them."""
_METRICS: Final = """
    INSERT INTO ecg_metrics (
        metric_id, user_id, device_id, recording_id, heart_rate, pr_interval, qrs_duration, qtc_interval, st_segment,
        qrs_axis, arrhythmia_type, arrhythmia_confidence, recorded_at, heart_rate_bpm, rr_ms, pr_ms, qrs_ms, qt_ms,
        qtc_ms, st_mv, qrs_axis_deg, quality, engine_version, main_lead, lead_quality, lead_flags
    )
    SELECT
        (
            lpad(to_hex((extract(epoch FROM at.at) * 1000)::bigint), 12, '0') || substr(md5(n || '/' || at.at), 1, 20)
        )::uuid,
        md5('user-' || n)::uuid, md5('device-' || n)::uuid,
        md5('recording-' || n || '-' || (at.passed / 86400 + 1))::uuid,
        60 + rate, 160, 92, 410, 'Normal', 'Normal',
        CASE WHEN rate = 39 THEN 'Atrial Fibrillation' ELSE 'Normal Sinus Rhythm' END, 95.5, at.at,
        60 + rate, 60000.0 / (60 + rate), 160.2, 91.8, 390.1, 410.3, 0.02, 45.5, 0.97, 'fast-4', 'II', '{0.97,0.9}',
        '{0,0}'
    FROM (
        SELECT
            date_trunc('second', now()) - make_interval(days => %(days)s) + make_interval(secs => s) AS at,
            s AS passed
        FROM generate_series(0, %(days)s * 86400 - 1, %(cadence)s) AS s
    ) AS at
    CROSS JOIN generate_series(1, %(users)s) AS n
    CROSS JOIN LATERAL (SELECT (n * 7 + at.passed / %(cadence)s * 13) %% 40 AS rate) AS made
"""
_REPORTS: Final = """
    INSERT INTO ecg_reports (
        report_id, user_id, device_id, filename, file_path_s3, file_size, heart_rate, pr_interval, qrs_duration,
        qtc_interval, st_segment, qrs_axis, patient_name, patient_age, report_date, machine_serial, upload_status,
        cloud_service, created_at, uploaded_at
    )
    SELECT
        md5('report-' || n || '-' || day)::uuid, md5('user-' || n)::uuid, md5('device-' || n)::uuid,
        'ecg-' || n || '-' || day || '.pdf', 'reports/' || n || '/' || day || '.pdf', 180000 + n, 72, 160, 92, 410,
        'Normal', 'Normal', 'Person ' || n, 20 + n %% 70, made.at, 'SN-' || n, 'uploaded', 's3', made.at, made.at
    FROM generate_series(1, %(days)s) AS day
    CROSS JOIN generate_series(1, %(users)s) AS n
    CROSS JOIN LATERAL (SELECT now() - make_interval(days => %(days)s - day, secs => 60 + n) AS at) AS made
"""
_UPLOADS: Final = """
    INSERT INTO upload_logs (user_id, file_path, filename, file_type, cloud_service, upload_status, uploaded_at)
    SELECT p.user_id, p.file_path_s3, p.filename, 'report', 's3', 'success', p.uploaded_at
    FROM ecg_reports AS p
"""
_RHYTHMS: Final = """
    INSERT INTO ecg_rhythms (
        recording_id, device_id, first_r_index, label, state, started_at, ended_at, confidence, engine_version
    )
    SELECT
        md5('recording-' || n || '-' || day)::uuid, md5('device-' || n)::uuid, part * 7200000,
        CASE part WHEN 1 THEN 'AFIB' ELSE 'N' END, 'closed', made.at, made.at + interval '8 hours', 96, 'fast-4'
    FROM generate_series(1, %(days)s) AS day
    CROSS JOIN generate_series(0, 2) AS part
    CROSS JOIN generate_series(1, %(users)s) AS n
    CROSS JOIN LATERAL (
        SELECT now() - make_interval(days => %(days)s - day + 1) + make_interval(hours => part * 8) AS at
    ) AS made
"""
_ALARMS: Final = """
    INSERT INTO ecg_alarms (
        alarm_id, device_id, recording_id, user_id, kind, priority, category, latching, began_at, raised_at, ended_at,
        acknowledged_at, value, limit_value, confidence
    )
    SELECT
        md5('alarm-' || n || '-' || k)::uuid, md5('device-' || n)::uuid, md5('recording-' || n || '-' || k * 5)::uuid,
        md5('user-' || n)::uuid, 'tachycardia', CASE k %% 3 WHEN 0 THEN 'low' WHEN 1 THEN 'medium' ELSE 'high' END,
        'physiological', k %% 3 = 2, made.at, made.at + interval '5 s',
        CASE WHEN k < 6 OR n %% 10 > 0 THEN made.at + interval '1 min' END,
        CASE WHEN k < 6 THEN made.at + interval '2 min' END, 131, 120, 93
    FROM generate_series(1, 6) AS k
    CROSS JOIN generate_series(1, %(users)s) AS n
    CROSS JOIN LATERAL (SELECT now() - make_interval(days => %(days)s - k * 5, secs => n) AS at) AS made
"""
_HRV: Final = """
    INSERT INTO ecg_hrv (
        device_id, stretch_start, user_id, beats, nn_count, nn_share, af_share, mean_nn_ms, sdnn_ms, rmssd_ms,
        engine_version, hrv_version, last_beat_at, computed_at
    )
    SELECT
        md5('device-' || n)::uuid, made.at, md5('user-' || n)::uuid, 370, 360, 0.97, 0, 820, 45.5, 32.2, 'fast-4',
        'hrv-1', made.at + interval '5 min', made.at + interval '6 min'
    FROM generate_series(0, %(days)s * 4 - 1) AS k
    CROSS JOIN generate_series(1, %(users)s) AS n
    CROSS JOIN LATERAL (
        SELECT date_bin('5 min', now(), timestamptz '2000-01-03 00:00Z') - make_interval(hours => 6 * (k + 1)) AS at
    ) AS made
"""
_BEATS: Final = """
    INSERT INTO ecg_beats (
        recording_id, device_id, r_index, beat_at, beat_class, confidence, rr_ms, qrs_ms, engine_version
    )
    SELECT
        md5('recording-' || n || '-' || %(days)s)::uuid, md5('device-' || n)::uuid, k * 200,
        now() - interval '1 day' + make_interval(secs => k * 0.8), CASE k %% 50 WHEN 0 THEN 'V' ELSE 'N' END, 97,
        800, 92, 'fast-4'
    FROM generate_series(1, 10) AS n
    CROSS JOIN generate_series(0, 107999) AS k
"""
"""A whole day of ten users; a month of everybody's would be fifteen thousand million."""

STEPS: Final = (
    ("users", _PEOPLE),
    ("care_assignments", _CARE),
    ("devices", _DEVICES),
    ("recordings", _RECORDINGS),
    ("ecg_waveforms", _WAVEFORMS),
    ("ecg_metrics", _METRICS),
    ("ecg_reports", _REPORTS),
    ("upload_logs", _UPLOADS),
    ("ecg_rhythms", _RHYTHMS),
    ("ecg_alarms", _ALARMS),
    ("ecg_hrv", _HRV),
    ("ecg_beats", _BEATS),
)
