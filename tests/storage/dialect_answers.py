"""What every query of storage/ that reads people's data says, by the query's name, for one made-up patient."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from typing import Final
from uuid import UUID

from psycopg import AsyncConnection

from schemas.alarms import AlarmLimits
from schemas.clock import to_datetime
from schemas.errors import LeadwireError
from schemas.files import UploadedFile
from schemas.hrv import HrvStretch
from schemas.metrics import Metrics
from schemas.pages import PageRequest
from schemas.quality import LeadQuality
from schemas.rhythms import ASYSTOLE, ATRIAL_FIBRILLATION
from schemas.samples import Gap, Recording, WaveformStretch
from storage import (
    accounts,
    alarm_limits,
    alarms,
    beats,
    burden,
    care,
    cloud_files,
    device_changes,
    devices,
    drawings,
    hrv,
    imports,
    live,
    managed,
    metrics,
    metrics_latest,
    metrics_posted,
    percentiles,
    profiles,
    reports,
    rhythms,
    samples,
    sessions,
    statistics_activity,
    statistics_people,
    summaries,
)
from storage.access import Access
from storage.alarms import AlarmFilter
from storage.hrv import DueTimes
from storage.managed import ReportFilter, UserFilter
from storage.metrics import MetricsFilter
from storage.metrics_latest import LatestFilter
from storage.statistics_activity import Span
from tests.storage import made
from tests.storage.made import RATE_HZ

START_US: Final = made.START_US - 200 * 86_400_000_000
"""A time of its own, before all others': what is refreshed here hides no row of another test."""
USER_ID, DOCTOR_ID, DEVICE_ID, RECORDING_ID = (UUID(int=number) for number in (0xA1, 0xA2, 0xA3, 0xA4))
REPORT_ID, FILE_ID, SESSION_ID = (UUID(int=number) for number in (0xA5, 0xA6, 0xA7))
RECORDING: Final = Recording(RECORDING_ID, DEVICE_ID, USER_ID, START_US, RATE_HZ, ("MLII", "V1"), (5.0, 2.5))
PERIOD: Final = (START_US, START_US + 3_600_000_000)
DAYS: Final = (START_US - START_US % 86_400_000_000, START_US + 2 * 86_400_000_000)
SECONDS: Final = 150
START: Final = to_datetime(START_US)
AT: Final = START + timedelta(seconds=400)
END: Final = START + timedelta(hours=1)
TIMES: Final = DueTimes(AT + timedelta(minutes=1), timedelta(seconds=30))
TOKEN: Final = b"t" * 32
ALARM: Final = made.alarm_of(RECORDING, ASYSTOLE, START_US, 5, 12)

_PEOPLE: Final = """
INSERT INTO users (user_id, username, password_hash, role, created_at, updated_at)
VALUES
    (%(user_id)s, 'dialect-patient', 'x', 'user', '2024-01-01', '2024-01-01'),
    (%(doctor_id)s, 'dialect-doctor', 'x', 'doctor', '2024-01-01', '2024-01-01')
ON CONFLICT DO NOTHING
"""
_CARE: Final = """
INSERT INTO care_assignments (doctor_id, patient_id, assigned_at)
VALUES (%(doctor_id)s, %(user_id)s, '2024-01-01')
ON CONFLICT DO NOTHING
"""
_DEVICE: Final = """
INSERT INTO devices (device_id, user_id, device_type, registered_at, token_hash)
VALUES (%(device_id)s, %(user_id)s, 'ecg', '2024-01-01', %(token)s)
ON CONFLICT DO NOTHING
"""
_SESSION: Final = """
INSERT INTO user_sessions (session_id, user_id, token_hash, expires_at, created_at)
VALUES (%(session_id)s, %(user_id)s, %(token)s, '2999-01-01', '2024-01-01')
ON CONFLICT DO NOTHING
"""


async def write_everything(conn: AsyncConnection) -> None:
    """All of it, by the functions that write it; once more changes nothing."""
    ids = {"user_id": USER_ID, "doctor_id": DOCTOR_ID, "device_id": DEVICE_ID, "session_id": SESSION_ID, "token": TOKEN}
    for statement in (_PEOPLE, _CARE, _DEVICE, _SESSION):
        await conn.execute(statement.encode(), ids)
    await samples.write_recordings(conn, [RECORDING])
    stretches = [made.a_stretch(RECORDING, first, 2500) for first in range(0, 10_000, 2000)]
    await samples.write_stretches(conn, stretches)
    await samples.write_gaps(conn, [Gap(RECORDING_ID, 10_500, 11_000)])
    classes = {index: "V" if index % 7 == 0 else "N" for index in range(0, 9000, 200)}
    await made.write_beats(
        conn, [made.a_beat(RECORDING, index, "V" if v == "V" else "N") for index, v in classes.items()]
    )
    run = [replace(made.a_beat(RECORDING, i, "V"), rr_ms=400.0) for i in (10_000, 10_100, 10_200, 10_500)]
    await made.write_beats(conn, run)
    await hrv.write_hrv(conn, [_hrv_stretch()], AT)
    episodes = [made.an_episode(RECORDING, "closed", 20, 0), made.an_episode(RECORDING, "opened", 4, 5000)]
    await rhythms.write_rhythms(conn, episodes)
    await made.write_metrics(conn, [a_second(second) for second in range(SECONDS)], {DEVICE_ID: USER_ID})
    passing = [a_second(second) for second in range(SECONDS, SECONDS + 40)]
    await made.write_metrics(conn, passing, {DEVICE_ID: USER_ID}, 20)
    await alarms.write_alarms(conn, [ALARM])
    await alarm_limits.set_limits(conn, Access(None, "admin"), USER_ID, AlarmLimits(low_bpm=45), USER_ID, AT)
    await _write_files(conn)


async def _write_files(conn: AsyncConnection) -> None:
    await reports.request_report(conn, REPORT_ID, DEVICE_ID, USER_ID, "a.pdf", "A", 40, "S", AT)
    finished = reports.FinishedReport("reports/a", 10, "local", 70, 160, 90, 410, "0", "45", AT, AT)
    await reports.finish_report(conn, REPORT_ID, finished)
    file = UploadedFile(
        user_id=USER_ID, filename="b.json", file_type="json", file_size=3, sha256=TOKEN, uploaded_by=USER_ID
    )
    await cloud_files.claim(conn, FILE_ID, "file", "files/b", file, AT)
    await cloud_files.finish(conn, FILE_ID, "local", "local://files/b", AT)


def _hrv_stretch() -> HrvStretch:
    stretch = made.a_hrv_stretch(RECORDING)
    return replace(stretch, stretch_start=START, last_beat_at=START + timedelta(seconds=10))


def a_second(second: int) -> Metrics:
    """Every third second without a rate, the last minute in fibrillation; angles of which any sine is exact."""
    figures: dict[str, object] = {"qrs_axis_deg": second % 2 * 90, "st_mv": second / 1024, "pr_ms": 160.0}
    figures["leads"] = (LeadQuality("MLII", 0.5), LeadQuality("V1", second / 200, ("noise",)))
    figures["qtc_ms"] = 400.0 + second % 40
    if second % 3 == 0:
        figures["heart_rate_bpm"] = None
    if second >= SECONDS - 60:
        figures["arrhythmia_type"] = ATRIAL_FIBRILLATION
    return made.metrics_at(RECORDING, second, **figures)


Query = Callable[[AsyncConnection, Access], Awaitable[object]]
_PAGE: Final = PageRequest(2, 20)
_FIRST: Final = PageRequest()
_HOURS: Final = Span(to_datetime(DAYS[0]), to_datetime(DAYS[1]), "hour")
_BY_DAY: Final = Span(to_datetime(DAYS[0]), to_datetime(DAYS[1]), "day")


async def _mine(found: Awaitable[list[hrv.DueStretch]]) -> list[hrv.DueStretch]:
    return [stretch for stretch in await found if stretch.device_id == DEVICE_ID]


async def _drawing(conn: AsyncConnection, access: Access) -> object:
    drawn = await drawings.read_drawing(conn, await samples.kept(conn, access, RECORDING_ID), 10, 9000, 60)
    return [drawn.covered, drawn.started_at_us, drawn.envelope.minimum.tobytes(), drawn.envelope.maximum.tobytes()]


async def _stretches(found: Awaitable[list[WaveformStretch]]) -> object:
    return [(s.first_index, s.started_at_us, s.samples.tobytes()) for s in await found]


async def _kept_stretches(conn: AsyncConnection, access: Access) -> object:
    return await _stretches(samples.read_kept(conn, await samples.kept(conn, access, RECORDING_ID), 10, 9000))


async def _read_beats(conn: AsyncConnection, _: Access) -> object:
    return await hrv.read_beats(conn, await _mine(hrv.due(conn, TIMES, 1000)))


async def _limits(conn: AsyncConnection, _: Access) -> object:
    return (await alarm_limits.by_device(conn))[DEVICE_ID]


async def _live(conn: AsyncConnection, access: Access) -> object:
    found = await live.live_devices(conn, access, START)
    return [device for device in found.items if device.device_id == DEVICE_ID]


async def _devices(conn: AsyncConnection, access: Access) -> object:
    found = await devices.list_devices(conn, access, PageRequest(1, 1000), user_id=USER_ID)
    return found.items


async def _users(conn: AsyncConnection, access: Access) -> object:
    found = await accounts.list_users(conn, access, PageRequest(1, 1000))
    return [user for user in found.items if user.user_id in (USER_ID, DOCTOR_ID)]


async def _managed(conn: AsyncConnection, _: Access) -> object:
    return (await managed.list_managed(conn, UserFilter(q="dialect-"), _FIRST)).items


def _metrics(conn: AsyncConnection, access: Access, page: PageRequest) -> Awaitable[object]:
    wanted = MetricsFilter(arrhythmia_type=ATRIAL_FIBRILLATION, start=START, end=END, device_id=DEVICE_ID)
    return metrics.list_metrics(conn, access, wanted, page)


async def _metric(conn: AsyncConnection, access: Access) -> object:
    wanted = MetricsFilter(start=START, end=END, device_id=DEVICE_ID)
    newest = (await metrics.list_metrics(conn, Access(None, "admin"), wanted, PageRequest(1, 1))).items[0]
    return await metrics.metric(conn, access, newest.metric_id)


QUERIES: Final[dict[str, tuple[Query, ...]]] = {
    "accounts.user": (lambda c, a: accounts.user(c, a, USER_ID),),
    "accounts.list_users": (_users,),
    "accounts.credentials": (lambda c, _: accounts.credentials(c, "Dialect-Patient"),),
    "alarm_limits.limits_of": (lambda c, a: alarm_limits.limits_of(c, a, USER_ID),),
    "alarm_limits.by_device": (_limits,),
    "alarms.alarm": (lambda c, a: alarms.alarm(c, a, ALARM.alarm_id),),
    "alarms.list_alarms": (lambda c, a: alarms.list_alarms(c, a, AlarmFilter(device_id=DEVICE_ID), _FIRST),),
    "beats.list_beats": (
        lambda c, a: beats.list_beats(c, a, DEVICE_ID, *PERIOD, _PAGE),
        lambda c, a: beats.list_beats(c, a, None, *PERIOD, _FIRST, recording_id=RECORDING_ID),
    ),
    "beats.count_classes": (lambda c, a: beats.count_classes(c, a, DEVICE_ID, *PERIOD),),
    "beats.newest": (lambda c, _: beats.newest(c, Access(USER_ID, "user")),),
    "burden.hourly_burden": (lambda c, a: burden.hourly_burden(c, a, DEVICE_ID, *PERIOD),),
    "burden.daily_burden": (lambda c, a: burden.daily_burden(c, a, DEVICE_ID, *DAYS),),
    "burden.ectopic_groups": (lambda c, a: burden.ectopic_groups(c, a, DEVICE_ID, *PERIOD),),
    "care.doctors_of": (lambda c, _: care.doctors_of(c, USER_ID, _FIRST),),
    "care.patients_of": (lambda c, a: care.patients_of(c, a, DOCTOR_ID, _FIRST),),
    "cloud_files.cloud_file": (lambda c, a: cloud_files.cloud_file(c, a, FILE_ID),),
    "cloud_files.list_files": (lambda c, a: cloud_files.list_files(c, a, _FIRST, user_id=USER_ID),),
    "device_changes.changeable": (lambda c, a: device_changes.changeable(c, a, DEVICE_ID),),
    "devices.by_token": (lambda c, _: devices.by_token(c, TOKEN),),
    "devices.by_tokens": (lambda c, _: devices.by_tokens(c, [TOKEN]),),
    "devices.device": (lambda c, a: devices.device(c, a, DEVICE_ID),),
    "devices.list_devices": (_devices,),
    "devices.owners": (lambda c, _: devices.owners(c, [DEVICE_ID]),),
    "drawings.read_drawing": (_drawing,),
    "hrv.due": (lambda c, _: _mine(hrv.due(c, TIMES, 1000)),),
    "hrv.read_beats": (_read_beats,),
    "hrv.list_hrv": (lambda c, a: hrv.list_hrv(c, a, DEVICE_ID, *PERIOD, _FIRST),),
    "imports.is_there": (lambda c, _: imports.is_there(c, "users", USER_ID),),
    "imports.owner": (lambda c, _: imports.owner(c, "dialect-patient", None),),
    "imports.taken": (lambda c, _: imports.taken(c, "dialect-patient", None, None),),
    "live.live_devices": (_live,),
    "managed.list_managed": (_managed,),
    "managed.managed_user": (lambda c, _: managed.managed_user(c, USER_ID),),
    "managed.devices_of": (lambda c, _: managed.devices_of(c, USER_ID),),
    "managed.open_sessions": (lambda c, _: managed.open_sessions(c, USER_ID, AT),),
    "managed.list_managed_reports": (
        lambda c, _: managed.list_managed_reports(c, ReportFilter(user_id=USER_ID), _FIRST),
    ),
    "metrics.list_metrics": (
        lambda c, a: _metrics(c, a, _PAGE),
        lambda c, a: metrics.list_metrics(c, a, MetricsFilter(start=START, end=END, user_id=USER_ID), _FIRST),
    ),
    "metrics.metric": (_metric,),
    "metrics.fastest_second": (lambda c, a: metrics.fastest_second(c, a, DEVICE_ID, *PERIOD),),
    "metrics_latest.latest_page": (
        lambda c, a: metrics_latest.latest_page(c, a, LatestFilter(None, DEVICE_ID), _FIRST),
    ),
    "metrics_posted.device_named": (lambda c, a: metrics_posted.device_named(c, a, DEVICE_ID, USER_ID),),
    "percentiles.percentiles": (
        lambda c, a: percentiles.percentiles(c, a, DEVICE_ID, *PERIOD, "heart_rate"),
        lambda c, a: percentiles.percentiles(c, a, DEVICE_ID, DAYS[0] - 5, DAYS[1] + 5, "qtc"),
        lambda c, a: percentiles.percentiles(c, a, DEVICE_ID, START_US + 7, START_US + 80_000_000, "qtc"),
    ),
    "percentiles.percentile_trend": (
        lambda c, a: percentiles.percentile_trend(c, a, DEVICE_ID, *PERIOD, "heart_rate", "1h"),
        lambda c, a: percentiles.percentile_trend(c, a, DEVICE_ID, *DAYS, "qtc", "1day"),
    ),
    "profiles.password_hash": (lambda c, _: profiles.password_hash(c, USER_ID),),
    "reports.report": (lambda c, a: reports.report(c, a, REPORT_ID),),
    "reports.list_reports": (lambda c, a: reports.list_reports(c, a, _FIRST, user_id=USER_ID),),
    "rhythms.list_rhythms": (lambda c, a: rhythms.list_rhythms(c, a, DEVICE_ID, *PERIOD, _FIRST),),
    "samples.kept": (lambda c, a: samples.kept(c, a, RECORDING_ID),),
    "samples.kept_of_device": (lambda c, a: samples.kept_of_device(c, a, DEVICE_ID, *PERIOD),),
    "samples.recordings": (lambda c, a: samples.recordings(c, a, DEVICE_ID, *PERIOD),),
    "samples.recording": (lambda c, a: samples.recording(c, a, RECORDING_ID),),
    "samples.extent": (lambda c, a: samples.extent(c, a, RECORDING_ID),),
    "samples.read_stretches": (lambda c, a: _stretches(samples.read_stretches(c, a, RECORDING_ID, 10, 9000)),),
    "samples.read_kept": (_kept_stretches,),
    "samples.gaps": (lambda c, a: samples.gaps(c, a, RECORDING_ID, 0, 20_000),),
    "sessions.open_until": (lambda c, _: sessions.open_until(c, SESSION_ID, AT),),
    "sessions.is_open": (lambda c, _: sessions.is_open(c, SESSION_ID, AT),),
    "statistics_activity.activity": (
        lambda c, _: statistics_activity.activity(c, _HOURS), lambda c, _: statistics_activity.activity(c, _BY_DAY),
    ),
    "statistics_activity.reach": (
        lambda c, _: statistics_activity.reach(c, _HOURS), lambda c, _: statistics_activity.reach(c, _BY_DAY),
    ),
    "statistics_activity.beats": (
        lambda c, _: statistics_activity.beats(c, _HOURS), lambda c, _: statistics_activity.beats(c, _BY_DAY),
    ),
    "statistics_activity.labels": (
        lambda c, _: statistics_activity.labels(c, _HOURS), lambda c, _: statistics_activity.labels(c, _BY_DAY),
    ),
    "statistics_activity.rate_spread": (
        lambda c, _: statistics_activity.rate_spread(c, _HOURS),
        lambda c, _: statistics_activity.rate_spread(c, _BY_DAY),
    ),
    "statistics_activity.top_recorders": (
        lambda c, _: statistics_activity.top_recorders(c, _HOURS),
        lambda c, _: statistics_activity.top_recorders(c, _BY_DAY),
    ),
    "statistics_activity.device_points": (
        lambda c, _: statistics_activity.device_points(c, _HOURS),
        lambda c, _: statistics_activity.device_points(c, _BY_DAY),
    ),
    "statistics_people.user_points": (
        lambda c, _: statistics_people.user_points(c, _HOURS), lambda c, _: statistics_people.user_points(c, _BY_DAY),
    ),
    "statistics_people.report_points": (lambda c, _: statistics_people.report_points(c, _BY_DAY),),
    "statistics_people.reports_by": (lambda c, _: statistics_people.reports_by(c, _BY_DAY, "upload_status"),),
    "summaries.summarise": (lambda c, a: summaries.summarise(c, a, DEVICE_ID, *PERIOD),),
    "summaries.trend": (
        lambda c, a: summaries.trend(c, a, DEVICE_ID, *PERIOD, "1min"),
        lambda c, a: summaries.trend(c, a, DEVICE_ID, *PERIOD, "1h"),
        lambda c, a: summaries.trend(c, a, DEVICE_ID, *DAYS, "1day"),
    ),
}  # fmt: skip


async def answers(conn: AsyncConnection, access: Access) -> dict[str, list[object]]:
    """What each of them says to a caller; a refusal is an answer too."""
    return {name: [await _told(query, conn, access) for query in queries] for name, queries in QUERIES.items()}


async def _told(query: Query, conn: AsyncConnection, access: Access) -> object:
    try:
        return await query(conn, access)
    except LeadwireError as error:
        return type(error), str(error)
