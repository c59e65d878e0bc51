"""Archived samples: every one once, bit for bit and with its moment, wherever it rests; nothing leaves unverified."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
import wfdb
from psycopg import sql
from psycopg.errors import InsufficientPrivilege
from pydantic import SecretStr

from processors.archive import ArchiveService
from schemas.clock import index_to_us, to_datetime
from schemas.errors import Busy
from schemas.samples import MISSING, Recording, WaveformStretch
from schemas.settings_store import ArchiveSettings
from storage import archive_checks, archive_index, archive_rebuild, archived_samples, drawings, samples
from storage.access import everything
from storage.archive import archive_next
from storage.archive_expiry import OldHour, expire_hour
from storage.archive_hours import current_state, hot_state, hour_of_recording, read_hot
from storage.archive_manifests import load
from storage.archive_records import ArchivedHour
from storage.archive_shelf import Shelf
from storage.database import Database
from storage.erasure import erase
from storage.object_keys import archive_manifest_key
from storage.objects_local import LocalObjects
from storage.whereabouts import Kept
from tests.storage import made
from tests.storage.made import RATE_HZ, Patient
from tests.storage.test_samples import assert_same

FIRST_US = 978_307_200_000_000  # 2001-01-01 00:00 UTC: nobody else's samples are that old
HOUR_AT = to_datetime(FIRST_US)
LATER = to_datetime(FIRST_US + 3 * 86_400_000_000)
TABLES = ("ecg_waveforms", "archived_records", "archive_progress")
AN_HOUR = 900_000  # samples of it
EVERYTHING = ArchiveSettings.model_validate(
    {"LEADWIRE_ARCHIVE": True, "LEADWIRE_ARCHIVE_AFTER_HOURS": 1, "LEADWIRE_HOT_DAYS": 0}
)


@dataclass(slots=True)
class Scene:
    """A patient whose device recorded in 2001, and a store of objects."""

    database: Database
    store: LocalObjects
    folder: Path
    patient: Patient
    shelf: Shelf = field(init=False)

    def __post_init__(self) -> None:
        self.shelf = Shelf(lambda: self.store, 50_000_000)

    @property
    def recording(self) -> Recording:
        return self.patient.recording

    async def write(self, *stretches: WaveformStretch) -> None:
        async with self.database.transaction() as conn:
            await samples.write_stretches(conn, stretches)

    async def kept(self) -> Kept:
        async with self.database.transaction() as conn:
            return await samples.kept(conn, everything(), self.recording.recording_id)

    async def read(self, first: int = 0, end: int = 2**50) -> list[WaveformStretch]:
        return await archived_samples.read_kept(self.database, self.shelf, await self.kept(), first, end)

    async def service(self, now: datetime = LATER, settings: ArchiveSettings = EVERYTHING) -> ArchiveService:
        return ArchiveService(self.database, self.store, settings, now=lambda: now)

    async def archive(self, now: datetime = LATER, settings: ArchiveSettings = EVERYTHING) -> ArchiveService:
        """One round: everything that is due."""
        service = await self.service(now, settings)
        await service.round()
        return service

    async def hours(self) -> list[ArchivedHour]:
        async with self.database.transaction() as conn:
            return await archive_index.hours_of_recordings(conn, [self.recording.recording_id])

    async def hot_rows(self) -> int:
        async with self.database.transaction() as conn:
            cursor = await conn.execute(
                "SELECT count(*) FROM ecg_waveforms WHERE recording_id = %s", [self.recording.recording_id]
            )
            [(count,)] = await cursor.fetchall()
            return int(count)

    def record(self, hour: ArchivedHour, part: int = 0) -> str:
        return str(self.folder / hour.parts[part].name)


@pytest.fixture
async def scene(database: Database, tmp_path: Path) -> AsyncIterator[Scene]:
    async with database.transaction() as conn:
        patient = await made.a_patient(conn, FIRST_US)
    yield Scene(database, LocalObjects(tmp_path, SecretStr("x" * 32), "http://localhost"), tmp_path, patient)
    async with database.transaction() as conn:
        for table in TABLES:
            query = sql.SQL("DELETE FROM {} WHERE device_id = %s").format(sql.Identifier(table))
            await conn.execute(query, [patient.device.device_id])


def stretch(recording: Recording, first: int, count: int = 2500, late_us: int = 0) -> WaveformStretch:
    """Ten seconds whose values tell their index and lead, by a clock that is that late."""
    one = made.a_stretch(recording, first, count)
    return replace(one, started_at_us=one.started_at_us + late_us)


def two_hours(recording: Recording) -> list[WaveformStretch]:
    """With a gap, a clock put right, rows that overlap, extremes and samples that the device marked as missing."""
    clean = [stretch(recording, first) for first in range(0, 20_000, 2500)]
    again = [stretch(recording, 16_250, 2500), stretch(recording, 18_750, 5000, late_us=80_000)]
    last = [stretch(recording, first, late_us=80_000) for first in (AN_HOUR - 1000, AN_HOUR + 1500, AN_HOUR + 30_000)]
    last[0].samples[0, :4] = [MISSING, 32767, -32767, MISSING]
    return [*clean, *again, *last]


async def test_what_is_read_is_the_same_before_and_after(scene: Scene) -> None:
    await scene.write(*two_hours(scene.recording))
    before = await scene.read()
    done = await scene.archive()
    assert (await scene.hot_rows(), done.totals.expired_rows, done.totals.hours) == (0, 13, 2)
    assert_same(await scene.read(), before)
    for first, end in ((0, 1), (16_000, 19_000), (23_000, 24_000), (AN_HOUR - 999, AN_HOUR + 2000), (30_000, 40_000)):
        found = await scene.read(first, end)
        assert sum(one.samples.shape[1] for one in found) == sum(overlap(one, first, end) for one in before)


def overlap(one: WaveformStretch, first: int, end: int) -> int:
    return int(max(0, min(one.first_index + one.samples.shape[1], end) - max(one.first_index, first)))


async def test_wfdb_opens_the_records_with_our_beats(scene: Scene) -> None:
    await scene.write(*two_hours(scene.recording))
    async with scene.database.transaction() as conn:
        beats = [made.a_beat(scene.recording, index, "V" if index % 400 else "N") for index in range(100, 20_000, 200)]
        await made.write_beats(conn, beats)
    before = await scene.read(0, AN_HOUR + 1500)
    await scene.archive()
    [first, second] = await scene.hours()
    record, marks = wfdb.rdrecord(scene.record(first), physical=False), wfdb.rdann(scene.record(first), "atr")
    assert (record.sig_len, record.fs, record.sig_name) == (AN_HOUR + 1500, RATE_HZ, ["MLII", "V1"])
    expected = np.full((2, AN_HOUR + 1500), MISSING, np.int16)
    for one in before:
        expected[:, one.first_index : one.first_index + one.samples.shape[1]] = one.samples
    assert np.array_equal(record.d_signal.T, expected)
    assert (marks.sample.tolist(), marks.symbol[:3]) == (list(range(100, 20_000, 200)), ["V", "V", "V"])
    assert wfdb.rdrecord(scene.record(second)).sig_len == 31_000


async def test_the_database_and_we_make_the_same_digest(scene: Scene) -> None:
    await scene.write(*two_hours(scene.recording))
    async with scene.database.transaction() as conn:
        hour = await hour_of_recording(conn, scene.recording.recording_id, HOUR_AT)
        assert hour is not None
        state = hot_state(await read_hot(conn, hour))
        assert (state.rows, await current_state(conn, hour)) == (11, state)


async def test_hot_rows_stay_as_long_as_they_shall(scene: Scene) -> None:
    await scene.write(*two_hours(scene.recording))
    week = EVERYTHING.model_copy(update={"hot_days": 7})
    done = await scene.archive(settings=week)
    assert (done.totals.hours, done.totals.expired_rows, await scene.hot_rows()) == (2, 0, 13)
    done = await scene.archive(LATER + timedelta(days=8), week)
    assert (done.totals.hours, await scene.hot_rows()) == (0, 0)


async def test_an_hour_is_closed_only_when_late_blocks_are_in(scene: Scene) -> None:
    await scene.write(*two_hours(scene.recording))
    done = await scene.archive(HOUR_AT + timedelta(hours=1, minutes=59))
    assert done.totals.hours == 0
    done = await scene.archive(HOUR_AT + timedelta(hours=2))
    assert [hour.hour_at for hour in await scene.hours()] == [HOUR_AT]


async def test_late_samples_are_read_at_once_and_archived_anew(scene: Scene) -> None:
    early, late = stretch(scene.recording, 0), stretch(scene.recording, 5000)
    await scene.write(early)
    await scene.archive()
    await scene.write(late)
    assert_same(await scene.read(), [early, late])
    [before] = await scene.hours()
    done = await scene.archive()
    [hour] = await scene.hours()
    assert (done.totals.anew, hour.generation, hour.sample_count, await scene.hot_rows()) == (1, 1, 5000, 0)
    assert_same(await scene.read(), [early, late])
    assert await removals(scene.database, before) == {file.key for file in before.files}


async def removals(database: Database, hour: ArchivedHour) -> set[str]:
    async with database.transaction() as conn:
        cursor = await conn.execute(
            "SELECT key FROM object_removals WHERE key = ANY(%s)", [[file.key for file in hour.files]]
        )
        return {key for (key,) in await cursor.fetchall()}


async def test_a_row_that_grew_is_no_longer_what_was_archived(scene: Scene) -> None:
    await scene.write(stretch(scene.recording, 0, 1000))
    await scene.archive(settings=EVERYTHING.model_copy(update={"hot_days": 7}))
    await scene.write(stretch(scene.recording, 0, 2500))
    old = OldHour(scene.patient.device.device_id, scene.recording.recording_id, HOUR_AT)
    first = await expire_hour(scene.database, scene.store, old, LATER)
    assert (first.rows, first.moved is not None, await scene.hot_rows()) == (0, True, 1)
    second = await expire_hour(scene.database, scene.store, old, LATER)
    assert (second.rows, await scene.hot_rows()) == (1, 0)
    assert_same(await scene.read(), [stretch(scene.recording, 0, 2500)])


async def test_what_the_store_changed_is_never_put_down_as_verified(scene: Scene) -> None:
    class Forgetful(LocalObjects):
        async def put(self, key: str, data: bytes, content_type: str) -> None:
            await super().put(key, data[:-1] if key.endswith(".dat") else data, content_type)

    await scene.write(stretch(scene.recording, 0))
    store = Forgetful(scene.folder, SecretStr("x" * 32), "http://localhost")
    async with scene.database.transaction() as conn:
        await archive_index.enrol(conn)
    with pytest.raises(Busy, match="damaged"):
        await archive_all(scene, store)
    assert (await scene.hours(), await scene.hot_rows()) == ([], 1)
    await scene.archive()
    assert len(await scene.hours()) == 1


async def archive_all(scene: Scene, store: LocalObjects) -> None:
    while await archive_next(scene.database, store, LATER, LATER):
        pass


async def test_a_damaged_row_holds_its_device_and_no_other(scene: Scene) -> None:
    await scene.write(stretch(scene.recording, 0))
    async with scene.database.transaction() as conn:
        other = await made.a_patient(conn, FIRST_US)
        await samples.write_stretches(conn, [stretch(other.recording, 0)])
        await conn.execute(
            "UPDATE ecg_waveforms SET data = 'nonsense', tail = NULL WHERE recording_id = %s",
            [scene.recording.recording_id],
        )
    done = await scene.archive(settings=EVERYTHING.model_copy(update={"hot_days": 7}))
    assert (done.totals.held, done.totals.hours, await scene.hours(), await scene.hot_rows()) == (1, 1, [], 1)
    async with scene.database.transaction() as conn:
        for table in TABLES:
            query = sql.SQL("DELETE FROM {} WHERE device_id = %s").format(sql.Identifier(table))
            await conn.execute(query, [other.device.device_id])


async def test_two_at_once_archive_each_hour_once(scene: Scene) -> None:
    await scene.write(*two_hours(scene.recording))
    services = [await scene.service() for _ in range(2)]
    await asyncio.gather(*(service.round() for service in services))
    assert sum(service.totals.hours for service in services) == 2
    assert sum(service.totals.anew for service in services) == 0
    await scene.archive()  # of a chunk that both would drop one may find the other at it
    assert await scene.hot_rows() == 0


async def test_a_shorter_answer_is_never_given_for_a_store_that_lost_a_file(scene: Scene) -> None:
    await scene.write(stretch(scene.recording, 0))
    await scene.archive()
    [hour] = await scene.hours()
    (scene.folder / hour.parts[0].signals[0].key).unlink()
    with pytest.raises(Busy, match="archive verify"):
        await scene.read()


async def test_a_drawing_is_the_same_from_the_archive(scene: Scene) -> None:
    await scene.write(*two_hours(scene.recording))
    kept = await scene.kept()
    async with scene.database.transaction() as conn:
        before = await drawings.read_drawing(conn, kept, 0, 930_000, 9)
    await scene.archive()
    async with scene.database.transaction() as conn:
        found = await archived_samples.find_drawing(conn, kept, 0, 930_000, 9)
    after = await archived_samples.fetch_drawing(scene.database, scene.shelf, found)
    assert np.array_equal(after.envelope.minimum, before.envelope.minimum)
    assert np.array_equal(after.envelope.maximum, before.envelope.maximum)
    assert (after.started_at_us, after.covered) == (before.started_at_us, before.covered)


async def test_the_manifest_tells_all_of_it_without_a_person(scene: Scene) -> None:
    await scene.write(*two_hours(scene.recording))
    await scene.archive()
    data = await scene.store.get(archive_manifest_key(scene.patient.device.device_id, HOUR_AT))
    manifest = load(data)
    assert [replace(hour, state="expired") for hour in manifest.hours] == await scene.hours()
    assert manifest.recordings == (replace(scene.recording, user_id=None),)
    assert str(scene.patient.user.user_id).encode() not in data


async def test_indices_that_jump_within_an_hour_make_more_records(scene: Scene) -> None:
    far = 40_000_000
    jump = stretch(scene.recording, far, late_us=-index_to_us(far - 5000, RATE_HZ))
    await scene.write(stretch(scene.recording, 0), jump)
    await scene.archive()
    [hour] = await scene.hours()
    assert [(part.first_index, part.end_index) for part in hour.parts] == [(0, 2500), (far, far + 2500)]
    assert_same(await scene.read(), [stretch(scene.recording, 0), jump])


async def test_a_sound_archive_verifies_and_each_wound_is_named(scene: Scene) -> None:
    await scene.write(*two_hours(scene.recording))
    await scene.archive(settings=EVERYTHING.model_copy(update={"hot_days": 7}))
    sound = await archive_checks.verify(scene.database, scene.store, deep=True)
    assert (sound.problems, sound.days, sound.hours, sound.files, sound.compared_rows) == ([], 1, 2, 6, 13)
    [first, second] = await scene.hours()
    (scene.folder / first.parts[0].signals[0].key).write_bytes(b"fLaC" + bytes(40))
    (scene.folder / second.files[0].key).unlink()
    orphan = second.parts[0].name.replace("/01-", "/02-") + ".dat"
    (scene.folder / orphan).write_bytes(b"x")
    (scene.folder / archive_manifest_key(first.device_id, HOUR_AT)).write_text("{}")
    wounded = await archive_checks.verify(scene.database, scene.store, deep=True)
    wounds = [
        archive_manifest_key(first.device_id, HOUR_AT),
        first.parts[0].signals[0].key,
        second.files[0].key,
        orphan,
    ]
    assert len(wounded.problems) == wounded.problem_count == 4
    assert all(any(wound in problem for problem in wounded.problems) for wound in wounds)
    assert await archive_rebuild.mend(scene.database, scene.store) >= 1
    assert (await archive_checks.verify(scene.database, scene.store, deep=True)).problem_count == 3


async def test_a_database_that_lost_everything_gets_it_back_from_the_manifests(scene: Scene) -> None:
    await scene.write(*two_hours(scene.recording))
    before, kept = await scene.read(), await scene.kept()
    await scene.archive()
    hours = await scene.hours()
    async with scene.database.transaction() as conn:
        device_id = [scene.patient.device.device_id]
        await conn.execute("DELETE FROM archived_records WHERE device_id = %s", device_id)
        await conn.execute("DELETE FROM archive_progress WHERE device_id = %s", device_id)
        await conn.execute("DELETE FROM devices WHERE device_id = %s", device_id)  # and its recordings
    done = await archive_rebuild.rebuild(scene.database, scene.store, LATER)
    assert (done.hours, done.recordings, done.problems, await scene.hours()) == (2, 1, [], hours)
    assert_same(await scene.read(), before)
    assert replace(kept, recording=replace(kept.recording, user_id=None)) == await scene.kept()
    again = await archive_rebuild.rebuild(scene.database, scene.store, LATER)
    assert again.hours == 0


async def test_an_erased_person_is_in_no_file_and_others_of_the_device_stay(scene: Scene) -> None:
    async with scene.database.transaction() as conn:
        other = await made.a_user(conn)
        theirs = replace(made.a_recording(scene.patient.device), user_id=other.user_id, started_at_us=FIRST_US)
        await samples.write_recordings(conn, [theirs])
    await scene.write(stretch(scene.recording, 0), stretch(theirs, 5000))
    await scene.archive()
    [hour] = await scene.hours()
    await erase(scene.database, scene.store, scene.patient.user.username, "test", LATER)
    assert [key for key in scene.folder.rglob("*") if str(scene.recording.recording_id) in key.name] == []
    assert await removals(scene.database, hour) == set()
    manifest = load(await scene.store.get(archive_manifest_key(theirs.device_id, HOUR_AT)))
    assert [one.recording_id for one in manifest.hours] == [theirs.recording_id]
    async with scene.database.transaction() as conn:
        kept = await samples.kept(conn, everything(), theirs.recording_id)
    assert_same(await archived_samples.read_kept(scene.database, scene.shelf, kept, 0, 9999), [stretch(theirs, 5000)])


async def test_nothing_is_archived_or_expired_unless_it_is_switched_on(scene: Scene) -> None:
    await scene.write(stretch(scene.recording, 0))
    await scene.archive(settings=EVERYTHING.model_copy(update={"enabled": False}))
    assert (await scene.hours(), await scene.hot_rows()) == ([], 1)


async def test_the_api_can_read_the_index_and_not_who_is_at_work(reading: Database, scene: Scene) -> None:
    async with reading.transaction() as conn:
        await archive_index.hours_of_recordings(conn, [scene.recording.recording_id])
    with pytest.raises(InsufficientPrivilege):
        async with reading.transaction() as conn:
            await conn.execute("SELECT FROM archive_progress")


async def test_it_waits_for_a_store_that_is_away_and_goes_on(scene: Scene) -> None:
    class Away(LocalObjects):
        refusals = 4

        async def put(self, key: str, data: bytes, content_type: str) -> None:
            await super().put(key, data, content_type)
            if self.refusals and key.endswith(".dat"):
                self.refusals -= 1
                raise Busy("the object store went away while it took a file; wait")

    await scene.write(*two_hours(scene.recording))
    before = await scene.read()
    store = Away(scene.folder, SecretStr("x" * 32), "http://localhost")
    service = ArchiveService(scene.database, store, EVERYTHING, now=lambda: LATER)
    await service.round()
    assert (store.refusals, service.totals.hours, {hour.generation for hour in await scene.hours()}) == (0, 2, {0})
    assert_same(await scene.read(), before)
