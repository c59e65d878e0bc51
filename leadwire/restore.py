"""A backup taken back into an empty database and an object store, proven before and after."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from leadwire import backup, backup_objects, backup_programs, kafka_offsets
from leadwire.backup_manifest import DATABASE, Manifest
from leadwire.backup_programs import Program
from leadwire.backup_progress import Told
from leadwire.brokers import cluster_id
from leadwire.kafka_offsets import Aligned
from schemas.clock import now
from schemas.errors import Duplicate, LeadwireError, Malformed, Misconfigured
from schemas.settings import Settings
from storage import audit, audit_chain, backups, migrate, restores
from storage.audit_chain import Verdict, parse_head
from storage.database import Connection, Database, writer
from storage.objects import objects
from storage.restores import Target

ACTOR: Final = "leadwire restore"

_LEFT_OUT: Final = (" DEFAULT ACL ", " COMMENT - EXTENSION ", " SCHEMA - public ", " EXTENSION - timescaledb ")
"""Of the dump's table of contents: what names the role that made it, and what is there already."""


@dataclass(frozen=True, slots=True)
class Restored:
    """What is there now; `kafka` says why the offsets could not be set, if they could not."""

    manifest: Manifest
    rows: int
    objects: int
    put: int
    verdict: Verdict
    aligned: Aligned | None
    kafka: str | None
    pending: list[str]


async def restore(
    settings: Settings, folder: Path, told: Told, *, with_objects: bool = True, new_kafka: bool = False, jobs: int = 2
) -> Restored:
    """Take a backup back. Run again after an interruption, it begins anew where it may.

    Nothing is touched before every sum of the backup was found right. Raises Malformed for a damaged backup, Duplicate
    for a database that holds anything, Misconfigured for a server or program that is too old, Busy.
    """
    manifest = await _proven(folder, told)
    if with_objects and manifest.objects is None:
        raise Misconfigured(f"{folder} was made without objects; add --without-objects, if the store still has them")
    program = await _prepare(settings, manifest)
    await _tables(settings, manifest, program, folder, told, jobs)
    put = 0
    if with_objects:
        told.step("objects", manifest.object_bytes)
        put = await backup_objects.copy_in(objects(settings.objects, settings.security, settings.http), folder, told)
    async with opened(settings) as database:
        told.step("audit log")
        verdict = await _judged(database, manifest)
        aligned, kafka = await _aligned(settings, database, manifest, new_kafka=new_kafka)
        await _end(settings, database, manifest)
    pending = await migrate.pending(settings.database.url)
    count = manifest.object_count if with_objects else 0
    return Restored(manifest, sum(manifest.rows.values()), count, put, verdict, aligned, kafka, pending)


async def align_offsets(settings: Settings, *, new_kafka: bool) -> Aligned:
    """After a restore by other means: let the workers read on where the database ends. Raises Busy, Misconfigured."""
    async with opened(settings) as database:
        return await kafka_offsets.align(settings, database, is_new=new_kafka)


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[Database]:
    """The side that writes."""
    database = writer(settings.database)
    await database.open()
    try:
        yield database
    finally:
        await database.close()


async def _proven(folder: Path, told: Told) -> Manifest:
    verified = await backup.verify(folder, told)
    if verified.problems:
        more = f" and {len(verified.problems) - 1} more" if len(verified.problems) > 1 else ""
        raise Malformed(f"{folder} is damaged: {verified.problems[0]}{more}; nothing was restored, use another backup")
    return verified.manifest


async def _prepare(settings: Settings, manifest: Manifest) -> Program:
    """An empty database with its roles, marked as one that is being restored."""
    async with backups.connected(settings.database.url) as conn:
        target = await restores.look_at(conn)
        refuse_unfit(target, manifest)
        program = backup_programs.find("pg_restore", max(target.server, manifest.program))
        if target.unfinished is not None:
            await restores.clear(conn)
    async with backups.connected(settings.database.url) as conn:
        await restores.begin(conn, manifest.backup_id)
        await restores.make_roles(conn)
        if manifest.timescale is not None:
            await restores.begin_timescale(conn, manifest.timescale)
    return program


def refuse_unfit(target: Target, manifest: Manifest) -> None:
    """Raises Duplicate or Misconfigured where this backup must not or can't go."""
    if target.has_tables and target.unfinished is None:
        raise Duplicate("this database is not empty; name an empty one in DATABASE_URL (createdb), nothing was changed")
    if target.server < manifest.server:
        raise Misconfigured(
            f"the backup is of PostgreSQL {manifest.server} and this server is {target.server}; restore it into "
            f"{manifest.server} or newer"
        )
    if manifest.timescale is not None and manifest.timescale not in target.timescale:
        there = ", ".join(target.timescale) or "none"
        raise Misconfigured(
            f"the backup is of TimescaleDB {manifest.timescale} and this server has {there}; install that version, "
            "restore, and update the extension afterwards"
        )


async def _tables(
    settings: Settings, manifest: Manifest, program: Program, folder: Path, told: Told, jobs: int
) -> None:
    told.step("database")
    environment = backups.environment(settings.database.url)
    with backup_programs.listing(program, folder / DATABASE, _LEFT_OUT) as listed:
        arguments = [
            f"--dbname={environment.get('PGDATABASE', 'postgres')}",
            "--no-owner",
            f"--use-list={listed}",
            "-w",
        ]
        if not backup_programs.bears_with_older_servers(program, manifest.server):
            arguments.append("--exit-on-error")
        # The catalogue of TimescaleDB comes back wrong from several at once: its manual forbids -j.
        arguments += [] if manifest.timescale is not None else [f"-j{jobs}"]
        await backup_programs.run(program, [*arguments, str(folder / DATABASE)], environment)
    if manifest.timescale is not None:
        async with backups.connected(settings.database.url) as conn:
            await restores.end_timescale(conn)  # whoever was connected before it sees empty hypertables
    async with backups.connected(settings.database.url) as conn:
        await restores.settle(conn, settings.database)
        told.step("counting rows")
        await _compare(conn, manifest)


async def _compare(conn: Connection, manifest: Manifest) -> None:
    there = await backups.count_rows(conn)
    wrong = differences(manifest.rows, there)
    if wrong:
        raise Malformed(f"not every row came back: {'; '.join(wrong[:3])}; run it again, into an empty database")
    if str(await backups.audit_head(conn)) != manifest.head:
        raise Malformed("the audit log ends elsewhere than in the backup; run it again, into an empty database")


def differences(wanted: Mapping[str, int], there: Mapping[str, int]) -> list[str]:
    """What tables have other counts, in words."""
    names = sorted({*wanted, *there})
    return [
        f"{name} has {there.get(name, 0)} rows and had {wanted.get(name, 0)}"
        for name in names
        if there.get(name) != wanted.get(name)
    ]


async def _judged(database: Database, manifest: Manifest) -> Verdict:
    verdict = await audit_chain.verify(database, parse_head(manifest.head) if manifest.rows.get("audit_log") else None)
    if verdict.problem is not None:
        raise Malformed(f"the audit log of this backup does not hold: {verdict.problem}; compare with an older backup")
    return verdict


async def _aligned(
    settings: Settings, database: Database, manifest: Manifest, *, new_kafka: bool
) -> tuple[Aligned | None, str | None]:
    here = await cluster_id(settings.kafka)
    is_new = new_kafka or (here is not None and manifest.kafka is not None and here != manifest.kafka)
    try:
        return await kafka_offsets.align(settings, database, is_new=is_new), None
    except LeadwireError as error:  # the database is whole: the offsets can be set once Kafka answers
        return None, f"{error}; then run `leadwire restore offsets` before any worker starts"


async def _end(settings: Settings, database: Database, manifest: Manifest) -> None:
    async with backups.connected(settings.database.url) as conn:
        await restores.finish(conn)
    async with database.transaction() as conn:
        detail = f"taken {manifest.taken_at}"
        await audit.append(conn, ACTOR, "backup.restore", manifest.backup_id, None, now(), detail=detail)
