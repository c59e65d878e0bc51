"""A dead letter can be listed, looked at and sent back; once its cause is mended, nothing of it is lost."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import numpy as np
import psycopg
import pytest
from aiokafka import AIOKafkaProducer

from schemas import topics
from schemas.clock import now_us
from schemas.codec import encode_pack
from schemas.samples import SampleBlock
from tests.pipeline.platform import Platform
from tests.pipeline.test_commands import answer, run
from tests.pipeline.test_path import eventually, is_stored

pytestmark = pytest.mark.timeout(240)

COUNT = 1000


async def send(platform: Platform, topic: str, key: bytes, *values: bytes) -> None:
    """Straight into Kafka, as a device of its own."""
    producer = AIOKafkaProducer(bootstrap_servers=platform.settings.kafka.bootstrap, enable_idempotence=False)
    await producer.start()
    for value in values:
        await producer.send_and_wait(topic, value, key=key)
    await producer.stop()


def blocks_of(device_id: UUID) -> list[SampleBlock]:
    recording_id, started_at_us = uuid4(), now_us() - 60_000_000
    samples = np.arange(COUNT, dtype=np.int16).reshape(1, -1)
    return [
        SampleBlock(
            device_id, recording_id, i, started_at_us + i * 4000, 250.0, ("II",), (5.0,), samples[:, i : i + 250]
        )
        for i in range(0, COUNT, 250)
    ]


def listed(platform: Platform, *arguments: str) -> list[dict[str, Any]]:
    rejects: list[dict[str, Any]] = answer(platform, "rejects", "list", *arguments)["rejects"]
    return rejects


async def until_listed(platform: Platform, count: int, *arguments: str) -> list[dict[str, Any]]:
    async def there() -> bool:
        return len(listed(platform, *arguments)) == count

    await eventually(there, within_s=60)
    return listed(platform, *arguments)


async def register_as(platform: Platform, device_id: UUID) -> None:
    """Register a device whose id is known already."""
    made = await platform.device(f"late-{device_id}")
    with psycopg.connect(platform.settings.database.url) as connection:
        connection.execute("UPDATE devices SET device_id = %s WHERE device_id = %s", [device_id, made.device_id])


async def test_an_unknown_devices_samples_are_stored_once_it_is_registered_and_they_are_sent_back(
    platform: Platform, tmp_path: Path
) -> None:
    device_id = uuid4()
    blocks, ours = blocks_of(device_id), ("--device", str(device_id))
    await send(platform, topics.SAMPLES, str(device_id).encode(), *(encode_pack([block]) for block in blocks))
    rejects = await until_listed(platform, len(blocks), *ours)
    assert {(each["kind"], each["replays"], each["replayed"]) for each in rejects} == {("Unknown device", 0, False)}

    shown = answer(platform, "rejects", "show", rejects[0]["position"], "--out", str(tmp_path / "bytes"))
    assert f"device {device_id}, recording {blocks[0].recording_id}: samples [0, 250)" in shown["content"][0]
    assert answer(platform, "rejects", "replay", *ours, "--dry-run")["chosen"] == 4

    await register_as(platform, device_id)
    assert "add --yes" in run_without_terminal(platform, "rejects", "replay", *ours).stderr
    done = answer(platform, "rejects", "replay", *ours, "--yes")
    assert (done["chosen"], done["sent"], done["left_out"]) == (4, 4, {})
    client = await platform.client()
    await eventually(lambda: is_stored(client, blocks[0].recording_id, COUNT), within_s=60)
    await client.close()

    again = answer(platform, "rejects", "replay", *ours, "--yes")
    assert (again["sent"], again["left_out"]) == (0, {"sent back before": 4})
    assert [each["replayed"] for each in listed(platform, *ours)] == [True] * 4


async def test_what_fails_again_comes_back_with_its_count_until_the_bound(platform: Platform) -> None:
    device_id = uuid4()
    ours = ("--device", str(device_id))
    await send(platform, topics.REPORTS, str(device_id).encode(), b"\xff\xff no request")
    for replays in range(5):
        newest = (await until_listed(platform, replays + 1, *ours))[-1]
        assert (newest["kind"], newest["replays"]) == ("Malformed", replays)
        assert newest["origin"].startswith("ecg.reports[")
        assert answer(platform, "rejects", "replay", *ours, "--yes")["sent"] == 1
    await until_listed(platform, 6, *ours)
    done = answer(platform, "rejects", "replay", *ours, "--yes")
    assert (done["sent"], done["left_out"]) == (0, {"sent back before": 5, "came back 5 times": 1})


async def test_the_filters_agree_and_the_counts_are_told(platform: Platform) -> None:
    device_id = uuid4()
    ours = ("--device", str(device_id))
    await send(platform, topics.SAMPLES, str(device_id).encode(), b"\xff\xff", *map(_pack, blocks_of(device_id)))
    await until_listed(platform, 5, *ours)
    told = answer(platform, "rejects", "list", *ours)
    assert told["by_kind"] == {"Unknown device": 4, "Malformed": 1}
    assert [each["kind"] for each in listed(platform, *ours, "--newest", "4")] == ["Unknown device"] * 4
    assert len(listed(platform, *ours, "--kind", "malformed")) == 1
    assert listed(platform, *ours, "--since", "2999-01-01T00:00:00") == []
    assert "ff ff" in run(platform, "rejects", "show", _position(platform, *ours, "--kind", "malformed")).stdout


def test_a_position_that_is_none_or_not_there_is_told(platform: Platform) -> None:
    assert "take one such as 3@17" in " ".join(run(platform, "rejects", "show", "three").stderr.split())
    assert run(platform, "rejects", "show", "0@999999").returncode == 66


def _pack(block: SampleBlock) -> bytes:
    return encode_pack([block])


def _position(platform: Platform, *arguments: str) -> str:
    return str(listed(platform, *arguments)[0]["position"])


def run_without_terminal(platform: Platform, *arguments: str) -> subprocess.CompletedProcess[str]:
    done = run(platform, *arguments)
    assert done.returncode == 65
    return done
