"""What is well and what is not: each piece's condition judged; a text when well, an error with the remedy when not."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from leadwire.kafka_offsets import Place
from schemas.errors import Busy, LeadwireError, Misconfigured, NotFound
from storage.condition import Archive, Chunks, Job, Kept, LogArchive, Server, Standby, TableSize, Waiting

_SHOWN: Final = 3
_CLOCK_S: Final = 2.0
_FULL: Final = 0.9
_STANDBY_BYTES: Final = 256 * 2**20
_LATE_RUNS: Final = 3
_GRACE: Final = timedelta(minutes=10)
_WAIT: Final = timedelta(hours=1)
_REMOVED_WITHIN: Final = timedelta(days=1)
_DISK_FREE: Final = 0.05
_DISK_FREE_BYTES: Final = 20e9
"""A large disk is not full with a twentieth free."""


def judge_server(server: Server, now: datetime) -> str:
    """Dialect, version, size, clock and connections."""
    skew_s = (server.at - now).total_seconds()
    if server.is_standby:
        raise Misconfigured("DATABASE_URL leads to a standby, which takes no writes; name the primary")
    if abs(skew_s) > _CLOCK_S:
        raise Misconfigured(
            f"the database's clock is {skew_s:+.1f} s from this machine's; let NTP set both (timedatectl)"
        )
    if server.connections > server.max_connections * _FULL:
        raise Busy(
            f"{server.connections} of {server.max_connections} connections are taken; raise max_connections, or lower "
            "DATABASE_POOL_SIZE and DATABASE_MAX_OVERFLOW"
        )
    dialect = "plain PostgreSQL" if server.timescale is None else f"TimescaleDB {server.timescale}"
    update = ""
    if server.timescale is not None and server.timescale_there not in (None, server.timescale):
        update = f", {server.timescale_there} is installed: ALTER EXTENSION timescaledb UPDATE when it suits"
    taken = f"{server.connections} of {server.max_connections} connections"
    return f"PostgreSQL {server.version}, {dialect}{update}, {_mb(server.bytes)}, {taken}"


def judge_jobs(jobs: Sequence[Job]) -> str:
    """Policies whose last run failed."""
    failed = [job for job in jobs if job.status == "Failed"]
    if failed:
        told = "; ".join(
            f"{job.name} of {job.table} (job {job.job_id}): {job.error or 'no reason kept'}" for job in failed
        )
        raise Busy(
            f"{len(failed)} policies fail: {told}; mend that, then CALL run_job({failed[0].job_id}); 'failed to start' "
            "wants a larger timescaledb.max_background_workers and max_worker_processes"
        )
    return f"{len(jobs)} policies, none fails" if jobs else "none: plain PostgreSQL, or no policies"


def judge_refreshes(jobs: Sequence[Job], now: datetime) -> str:
    """Aggregates that were not brought up to date for longer than three of their steps."""
    refreshes = [job for job in jobs if job.is_refresh]
    late = [job for job in refreshes if _is_late(job, now)]
    if late:
        told = ", ".join(f"{job.table} since {_moment(job.succeeded_at)}" for job in late)
        raise Busy(
            f"aggregates are not refreshed: {told}; see timescaledb_information.job_errors, and that "
            "timescaledb.max_background_workers leaves room for them"
        )
    ages = [now - job.succeeded_at for job in refreshes if job.succeeded_at is not None]
    return f"{len(refreshes)} are refreshed, the last {_age(min(ages))} ago" if ages else "none was due yet"


def _is_late(job: Job, now: datetime) -> bool:
    if job.succeeded_at is not None:
        return now - job.succeeded_at > job.every * _LATE_RUNS + _GRACE
    return job.next_at is not None and now - job.next_at > job.every * _LATE_RUNS + _GRACE


def judge_chunks(waiting: Sequence[Chunks]) -> str:
    """Chunks that should have been compressed and were not."""
    if waiting:
        told = ", ".join(
            f"{each.waiting} of {each.table} (oldest ended {_moment(each.oldest_end)})" for each in waiting
        )
        raise Busy(
            f"chunks are not compressed: {told}; see the findings on policies, or compress one by "
            "hand to see why: SELECT compress_chunk(show_chunks('TABLE', older_than => ...))"
        )
    return "all that are old enough are compressed"


def judge_sizes(sizes: Sequence[TableSize]) -> str:
    """The largest tables; nothing is wrong with any size."""
    return ", ".join(f"{each.name} {_mb(each.bytes)}" for each in sizes)


def judge_standbys(standbys: Sequence[Standby]) -> str:
    """Servers that follow this one."""
    behind = [each for each in standbys if each.state != "streaming" or (each.lag_bytes or 0) > _STANDBY_BYTES]
    if behind:
        told = ", ".join(f"{each.name} is {each.state}, {_mb(each.lag_bytes or 0)} behind" for each in behind)
        raise Busy(f"standbys lag: {told}; see their log and the network between, a failover now would lose that much")
    return f"{len(standbys)} standbys follow" if standbys else "no standby follows; a failover needs one"


def judge_log_archive(archive: LogArchive) -> str:
    """PostgreSQL's archiving of its log."""
    if archive.mode == "off":
        return "off: between two backups nothing is kept (docs/backup.md, point-in-time recovery)"
    if archive.failed_at is not None and (archive.archived_at is None or archive.failed_at > archive.archived_at):
        raise Busy(
            f"archive_command fails since {_moment(archive.failed_at)}; see PostgreSQL's log: until it works, the log "
            "fills the disk"
        )
    return f"on, last at {_moment(archive.archived_at)}"


def judge_backup(kept: Kept, now: datetime, max_age_hours: float) -> str:
    """The age of the newest backup."""
    limit = timedelta(hours=max_age_hours)
    since = kept.backed_up_at or kept.begun_at
    if max_age_hours > 0 and now - since > limit:
        last = (
            "there is no backup" if kept.backed_up_at is None else f"the last backup is of {_moment(kept.backed_up_at)}"
        )
        raise Misconfigured(
            f"{last}; run `leadwire backup DEST` every day (cron), or set LEADWIRE_BACKUP_MAX_AGE_HOURS=0 if another "
            "program makes them"
        )
    return f"last made {_moment(kept.backed_up_at)}" if kept.backed_up_at else "none yet"


def judge_removals(waiting: Waiting, now: datetime) -> str:
    """Objects that the store does not let go of."""
    if waiting.since is not None and now - waiting.since > _REMOVED_WITHIN:
        raise Busy(
            f"{waiting.count} objects of deleted rows are still in the store, the oldest since "
            f"{_moment(waiting.since)}; let its key delete objects (s3:DeleteObject), the gateway tries again by itself"
        )
    return f"{waiting.count} wait"


def judge_reports(waiting: Waiting, now: datetime) -> str:
    """Reports that were asked for and not written."""
    if waiting.since is not None and now - waiting.since > _WAIT:
        raise Busy(
            f"{waiting.count} reports are not written, the oldest asked for at {_moment(waiting.since)}; see that a "
            "worker runs, and its log; after a restore run `leadwire restore offsets`"
        )
    return f"{waiting.count} wait"


def judge_uploads(waiting: Waiting, now: datetime) -> str:
    """Uploads that were begun and never ended."""
    if waiting.since is not None and now - waiting.since > _REMOVED_WITHIN:
        raise NotFound(
            f"{waiting.count} uploads never ended, the oldest of {_moment(waiting.since)}; whoever sends the same file "
            "again ends them, else delete them (DELETE ecg/reports/ID)"
        )
    return f"{waiting.count} under way"


def judge_archive(archive: Archive | None, now: datetime, closed_after: timedelta | None) -> str:
    """Hours that should be in the archive; `closed_after` is None where archiving is off."""
    if archive is None or closed_after is None:
        return "off (LEADWIRE_ARCHIVE)"
    if archive.held:
        raise Busy(f"{archive.held} devices are held back: {archive.held_why}; mend that, it goes on by itself")
    if archive.oldest_waiting is not None and now - archive.oldest_waiting > closed_after + timedelta(days=1):
        raise Busy(
            f"hours since {_moment(archive.oldest_waiting)} are not archived; see that an archiving worker runs, and "
            "its log"
        )
    return f"newest verified hour {_moment(archive.newest_hour)}"


def judge_places(places: Sequence[Place]) -> str:
    """Offsets against checkpoints, and how far the workers are behind."""
    problems = [place.problem for place in places if place.problem is not None]
    if problems:
        raise Misconfigured(
            f"{'; '.join(problems[:_SHOWN])} ({len(problems)} partitions): records would be left out; stop all workers "
            "and run `leadwire restore offsets`"
        )
    behind = sum(place.end - max(place.committed or 0, place.first) for place in places)
    return f"{len(places)} partitions, {behind} records behind"


def judge_disk(free: int, total: int, folder: str) -> str:
    """Room for objects in a folder."""
    if free < min(total * _DISK_FREE, _DISK_FREE_BYTES):
        raise Busy(f"{_mb(free)} of {_mb(total)} are free where {folder} is; make room, or move it to another disk")
    return f"{_mb(free)} free"


def one_line(error: LeadwireError) -> str:
    """An error's text in one line."""
    return " ".join(str(error).split())


def _mb(count: int) -> str:
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{count / 1e6:.1f} MB"


def _moment(at: datetime | None) -> str:
    return "never" if at is None else f"{at:%Y-%m-%d %H:%M} UTC"


def _age(age: timedelta) -> str:
    return f"{age.total_seconds() / 60:.0f} min" if age > timedelta(minutes=2) else f"{age.total_seconds():.0f} s"
