"""A play that was killed goes on where it was acknowledged, and the store holds every sample once."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from pathlib import Path
from uuid import UUID

import numpy as np
import pytest

from ingest.client import AsyncClient
from tests.pipeline.platform import LEADWIRE, Platform
from tests.pipeline.test_commands import answer, environment
from tests.pipeline.test_path import eventually, is_stored

pytestmark = pytest.mark.timeout(240)

RATE_HZ, SECONDS = 250, 40
COUNT = RATE_HZ * SECONDS


@pytest.fixture
def record(tmp_path: Path) -> Path:
    """Values in mV that tell their own index, up to 10 times a second."""
    path = tmp_path / "ramp.csv"
    values = (np.arange(COUNT) % 1000) / 200
    path.write_text("II\n" + "\n".join(f"{value:.3f}" for value in values) + "\n")
    return path


async def test_a_play_killed_in_mid_stream_is_completed_by_the_next(
    platform: Platform, record: Path, tmp_path: Path
) -> None:
    state = tmp_path / "state"
    arguments = ["stream", str(record), "--rate-hz", str(RATE_HZ), "--state", str(state), "--no-report"]
    first = await asyncio.create_subprocess_exec(*LEADWIRE, *arguments, "--speed", "5", env=environment(platform))
    await wait_until_acknowledged(state, 1000)
    os.kill(first.pid, signal.SIGKILL)
    await first.wait()
    kept = told(state)

    done = answer(platform, *arguments, "--resume", "--speed", "0")
    assert (done["recording_id"], done["samples_per_lead"]) == (kept["recording_id"], COUNT)
    assert COUNT > int(str(done["resumed_index"])) >= 1000
    assert not list(state.iterdir())

    client = await platform.client()
    recording_id = UUID(str(kept["recording_id"]))
    await eventually(lambda: is_stored(client, recording_id, COUNT), within_s=60)
    await every_sample_is_there_once(client, recording_id)
    await client.close()


async def every_sample_is_there_once(client: AsyncClient, recording_id: UUID) -> None:
    blocks = await client.samples(recording_id, 0, COUNT)
    assert [block.first_index for block in blocks[1:]] == [block.end_index for block in blocks[:-1]]
    samples = np.concatenate([block.samples for block in blocks], axis=1)[0]
    steps = np.diff(samples.astype(int)) * blocks[0].uv_per_lsb[0]
    assert samples.size == COUNT
    assert set(np.flatnonzero(steps < 0) + 1) == set(range(1000, COUNT, 1000))


def told(state: Path) -> dict[str, object]:
    files = list(state.glob("play-*.json"))
    kept: dict[str, object] = json.loads(files[0].read_text()) if files else {}
    return kept


async def wait_until_acknowledged(state: Path, index: int) -> None:
    async def far_enough() -> bool:
        return int(str(told(state).get("acknowledged_index", 0))) >= index

    await eventually(far_enough, within_s=60)
