"""A real ECG travels from a device to the reader, through every part."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from io import BytesIO
from pathlib import Path
from uuid import UUID, uuid4

import numpy as np
import pytest
import wfdb
from numpy.typing import NDArray
from pypdf import PdfReader
from websockets.asyncio.client import connect

from ingest.client import AsyncClient
from ingest.player import Target, play
from ingest.records import read_record
from ingest.sources import RecordSource, Take
from leadwire.rejects import list_rejects
from processors.rejects import Filter
from schemas.clock import index_to_us, now_us, to_datetime
from schemas.errors import NotFound
from tests.pipeline.platform import Platform
from tests.pipeline.rows import stored_rows

pytestmark = [pytest.mark.data, pytest.mark.timeout(400)]


@pytest.fixture(scope="session")
def mitdb_100(recordings: Path) -> RecordSource:
    return read_record(recordings / "mitdb" / "100")


@dataclass(frozen=True, slots=True)
class Streamed:
    """A whole record that was played, and what came of it."""

    target: Target
    take: Take
    client: AsyncClient


@pytest.fixture(scope="session")
async def streamed(platform: Platform, mitdb_100: RecordSource) -> AsyncIterator[Streamed]:
    """mitdb 100, both leads, all 30 minutes, as fast as it goes, until all of it is stored."""
    target = await platform.device("whole-100")
    take = Take(target.device_id, uuid4(), now_us() - 1_900_000_000)
    await play(mitdb_100, target, take=take, speed=0)
    client = await platform.client()
    await eventually(lambda: is_stored(client, take.recording_id, mitdb_100.count), within_s=120)
    yield Streamed(target, take, client)
    await client.close()


async def test_every_sample_comes_back_bit_for_bit(streamed: Streamed, mitdb_100: RecordSource) -> None:
    blocks = await streamed.client.samples(streamed.take.recording_id, 0, mitdb_100.count)
    stored = np.concatenate([block.samples for block in blocks], axis=1)
    assert stored.shape == (2, 650_000)
    assert np.array_equal(stored, mitdb_100.samples)


async def test_beats_are_within_150_ms_of_the_reference(
    platform: Platform, streamed: Streamed, mitdb_100: RecordSource, recordings: Path
) -> None:
    await eventually(lambda: has_closed(platform, streamed.take.recording_id), within_s=90)
    reference = reference_beats(recordings / "mitdb" / "100")
    rows = await stored_rows(platform.settings, streamed.take.recording_id)
    found = np.array(sorted(beat.r_index for beat in rows.beats))
    nearest = np.abs(found[np.clip(np.searchsorted(found, reference), 1, len(found) - 1)] - reference)
    before = np.abs(found[np.clip(np.searchsorted(found, reference) - 1, 0, len(found) - 1)] - reference)
    hit = np.minimum(nearest, before) <= 0.150 * mitdb_100.rate_hz
    assert hit.mean() >= 0.99
    assert len(found) <= len(reference) * 1.01


async def test_nothing_of_it_is_rejected(platform: Platform, streamed: Streamed) -> None:
    assert await list_rejects(platform.settings.kafka, Filter(device_id=streamed.target.device_id)) == []


async def test_its_report_can_be_downloaded_and_tells_of_it(streamed: Streamed, mitdb_100: RecordSource) -> None:
    start_us = streamed.take.started_at_us
    end_us = start_us + index_to_us(mitdb_100.count, mitdb_100.rate_hz)
    client = streamed.client
    asked = await client.request_report(streamed.target.device_id, to_datetime(start_us), to_datetime(end_us))
    report = await client.wait_report(asked)
    assert report.upload_status == "uploaded"
    assert report.heart_rate is not None
    assert 70 <= report.heart_rate <= 80
    pdf = await client.download_report(asked)
    text = "".join(page.extract_text() for page in PdfReader(BytesIO(pdf)).pages)
    assert "Patient whole-100" in text
    assert "not for diagnosis" in text


async def test_a_killed_worker_leaves_the_rows_of_an_undisturbed_one(
    platform: Platform, mitdb_100: RecordSource
) -> None:
    part = RecordSource("part", mitdb_100.rate_hz, mitdb_100.leads, mitdb_100.uv_per_lsb, mitdb_100.samples[:, :43_200])
    started_at_us = now_us() - 600_000_000
    calm, stormy = await platform.device("calm"), await platform.device("stormy")
    takes = [Take(target.device_id, uuid4(), started_at_us) for target in (calm, stormy)]
    await play(part, calm, take=takes[0], speed=0)
    playing = asyncio.create_task(play(part, stormy, take=takes[1], speed=10))
    for _ in range(2):
        await asyncio.sleep(4)  # in the middle of the stream, whatever it is doing then
        platform.kill_worker()
    await playing
    client = await platform.client()
    for take in takes:
        await eventually(partial(is_stored, client, take.recording_id, part.count), within_s=90)
        await eventually(partial(has_closed, platform, take.recording_id), within_s=90)
    await client.close()
    undisturbed, disturbed = [await stored_rows(platform.settings, take.recording_id) for take in takes]
    assert len(undisturbed.beats) > 100
    assert disturbed == undisturbed


async def test_a_watcher_sees_samples_beats_and_metrics_as_they_come(
    platform: Platform, mitdb_100: RecordSource
) -> None:
    target = await platform.device("watched")
    client = await platform.client()
    token = (await client.login(platform.login.username, platform.login.password)).access_token
    owner = next(device for device in await client.devices() if device.device_id == target.device_id)
    seen: set[str] = set()
    url = platform.login.url.replace("http", "ws") + f"/ws/ecg/{owner.user_id}"
    async with connect(url, additional_headers={"Authorization": f"Bearer {token}"}) as socket:
        await asyncio.wait_for(socket.recv(), 20)
        part = RecordSource(
            "live", mitdb_100.rate_hz, mitdb_100.leads, mitdb_100.uv_per_lsb, mitdb_100.samples[:, :7200]
        )
        playing = asyncio.create_task(play(part, target, speed=2))
        async with asyncio.timeout(60):
            while not {"samples", "beats", "metrics"} <= seen:
                seen.add(json.loads(await socket.recv())["type"])
        await playing
    await client.close()


def reference_beats(record: Path) -> NDArray[np.int64]:
    annotations = wfdb.rdann(str(record), "atr")
    is_beat = np.isin(annotations.symbol, list("NLRBAaJSVrFejnE/fQ?"))
    return np.asarray(annotations.sample[is_beat])


async def is_stored(client: AsyncClient, recording_id: UUID, count: int) -> bool:
    try:
        return sum(block.count for block in await client.samples(recording_id, 0, count)) == count
    except NotFound:  # the worker has not got to it yet
        return False


async def has_closed(platform: Platform, recording_id: UUID) -> bool:
    """The recording's device fell silent, so its last beats are decided and its episodes ended."""
    try:
        rows = await stored_rows(platform.settings, recording_id)
    except NotFound:
        return False
    return bool(rows.episodes) and all(episode.state == "closed" for episode in rows.episodes)


async def eventually(true: Callable[[], Awaitable[bool]], *, within_s: float) -> None:
    """Wait for something that another process does."""
    async with asyncio.timeout(within_s):
        while not await true():  # noqa: ASYNC110  # another process's doing, no event tells of it
            await asyncio.sleep(0.2)
