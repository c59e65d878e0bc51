"""Each piece is told well when it is, and with its remedy when it is not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from leadwire import doctor_findings as findings
from leadwire.kafka_offsets import Place
from schemas.errors import LeadwireError
from storage.condition import Archive, Chunks, Job, Kept, LogArchive, Server, Standby, TableSize, Waiting

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
SERVER = Server("18.4", "2.28.3", "2.28.3", False, NOW, 5_000_000_000, 10, 100)
JOB = Job(1001, "policy_retention", "ecg_beats", HOUR, "Success", 0, 5, NOW - HOUR, NOW + HOUR, None, False)
REFRESH = replace(JOB, name="policy_refresh_continuous_aggregate", table="metrics_1h", is_refresh=True)
ARCHIVE = Archive(NOW - 3 * HOUR, NOW - 3 * HOUR, 0, None)

Judge = Callable[[], str]


@pytest.mark.parametrize(
    ("judge", "told"),
    [
        (lambda: findings.judge_server(SERVER, NOW), "PostgreSQL 18.4, TimescaleDB 2.28.3, 5.0 GB, 10 of 100"),
        (lambda: findings.judge_server(replace(SERVER, timescale=None), NOW), "plain PostgreSQL"),
        (lambda: findings.judge_server(replace(SERVER, timescale_there="2.29.0"), NOW), "ALTER EXTENSION timescaledb"),
        (lambda: findings.judge_jobs([JOB]), "1 policies, none fails"),
        (lambda: findings.judge_jobs([]), "plain PostgreSQL"),
        (lambda: findings.judge_refreshes([JOB, REFRESH], NOW), "1 are refreshed, the last 60 min ago"),
        (lambda: findings.judge_refreshes([replace(REFRESH, succeeded_at=None)], NOW), "none was due yet"),
        (lambda: findings.judge_chunks([]), "all that are old enough"),
        (lambda: findings.judge_sizes([TableSize("ecg_beats", 2_000_000)]), "ecg_beats 2.0 MB"),
        (lambda: findings.judge_standbys([]), "a failover needs one"),
        (lambda: findings.judge_standbys([Standby("b", "streaming", 10)]), "1 standbys follow"),
        (lambda: findings.judge_log_archive(LogArchive("off", None, None)), "off: between two backups"),
        (lambda: findings.judge_log_archive(LogArchive("on", NOW, NOW - HOUR)), "on, last at 2026-11-23 12:00 UTC"),
        (lambda: findings.judge_backup(Kept(NOW - HOUR, NOW - 99 * HOUR), NOW, 48), "last made 2026-11-23 11:00"),
        (lambda: findings.judge_backup(Kept(None, NOW - HOUR), NOW, 48), "none yet"),
        (lambda: findings.judge_backup(Kept(None, NOW - 999 * HOUR), NOW, 0), "none yet"),
        (lambda: findings.judge_removals(Waiting(2, NOW - HOUR), NOW), "2 wait"),
        (lambda: findings.judge_reports(Waiting(0, None), NOW), "0 wait"),
        (lambda: findings.judge_uploads(Waiting(1, NOW), NOW), "1 under way"),
        (lambda: findings.judge_archive(None, NOW, HOUR), "off"),
        (lambda: findings.judge_archive(ARCHIVE, NOW, None), "off"),
        (lambda: findings.judge_archive(ARCHIVE, NOW, 3 * HOUR), "newest verified hour 2026-11-23 09:00"),
        (lambda: findings.judge_places([Place(0, 0, 100, 40, 50)]), "1 partitions, 60 records behind"),
        (lambda: findings.judge_disk(30_000_000_000, 10**12, "/o"), "30.0 GB free"),
    ],
)
def test_what_is_well_is_told_so(judge: Judge, told: str) -> None:
    assert told in judge()


@pytest.mark.parametrize(
    ("judge", "told"),
    [
        (lambda: findings.judge_server(replace(SERVER, is_standby=True), NOW), "name the primary"),
        (lambda: findings.judge_server(replace(SERVER, at=NOW + HOUR), NOW), r"clock is \+3600\.0 s .* let NTP"),
        (lambda: findings.judge_server(replace(SERVER, connections=95), NOW), "95 of 100 .* raise max_connections"),
        (
            lambda: findings.judge_jobs([JOB, replace(JOB, status="Failed", error="disk full")]),
            r"policy_retention of ecg_beats \(job 1001\): disk full; .* CALL run_job\(1001\)",
        ),
        (
            lambda: findings.judge_refreshes([replace(REFRESH, succeeded_at=NOW - 4 * HOUR)], NOW),
            "metrics_1h since 2026-11-23 08:00 UTC; see timescaledb_information.job_errors",
        ),
        (
            lambda: findings.judge_refreshes([replace(REFRESH, succeeded_at=None, next_at=NOW - 9 * HOUR)], NOW),
            "metrics_1h since never",
        ),
        (lambda: findings.judge_chunks([Chunks("ecg_beats", 3, NOW - HOUR)]), "3 of ecg_beats .* compress_chunk"),
        (lambda: findings.judge_standbys([Standby("b", "catchup", 10)]), "b is catchup, .* see their log"),
        (lambda: findings.judge_standbys([Standby("b", "streaming", 10**9)]), "1.0 GB behind"),
        (lambda: findings.judge_log_archive(LogArchive("on", NOW - HOUR, NOW)), "fails .* fills the disk"),
        (lambda: findings.judge_log_archive(LogArchive("always", None, NOW)), "archive_command fails"),
        (lambda: findings.judge_backup(Kept(NOW - 50 * HOUR, NOW - 99 * HOUR), NOW, 48), "is of .* run `leadwire"),
        (lambda: findings.judge_backup(Kept(None, NOW - 50 * HOUR), NOW, 48), "there is no backup; run"),
        (lambda: findings.judge_removals(Waiting(2, NOW - 25 * HOUR), NOW), "2 objects .*s3:DeleteObject"),
        (lambda: findings.judge_reports(Waiting(2, NOW - 2 * HOUR), NOW), "2 reports are not written.* a worker runs"),
        (lambda: findings.judge_uploads(Waiting(2, NOW - 25 * HOUR), NOW), "2 uploads .*DELETE ecg/reports/ID"),
        (
            lambda: findings.judge_archive(replace(ARCHIVE, held=2, held_why="no room"), NOW, 3 * HOUR),
            "2 devices are held back: no room; mend that",
        ),
        (
            lambda: findings.judge_archive(replace(ARCHIVE, oldest_waiting=NOW - 28 * HOUR), NOW, 3 * HOUR),
            "are not archived; see that an archiving worker runs",
        ),
        (lambda: findings.judge_places([Place(0, 0, 100, 90, 50)]), "run `leadwire restore offsets`"),
        (lambda: findings.judge_disk(10**9, 10**12, "/o"), "1.0 GB of 1000.0 GB are free where /o is; make room"),
    ],
)
def test_what_is_ill_is_told_with_what_to_do(judge: Judge, told: str) -> None:
    with pytest.raises(LeadwireError, match=told):
        judge()
