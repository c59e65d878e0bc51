"""What is done to a running Leadwire. Each fault ends what it began, and lasts no longer than the load."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Final
from uuid import uuid4

import numpy as np

from bench.chaos.fleet import LEADS, RATE_HZ
from bench.chaos.minio import S3Server
from bench.chaos.scenes import Scene
from bench.chaos.services import freeze, thaw
from schemas import topics
from schemas.codec import encode_pack
from schemas.samples import MISSING, SampleBlock

KILL_EVERY_S: Final = 10.0
TURN_S: Final = 15.0
AWAY_S: Final = 60.0
PAUSE_S: Final = 30.0
FROZEN_S: Final = 40.0
POISON_SHARE: Final = 0.01
REPORTS: Final = 10
_TMPFS: Final = "size=16m"


async def nothing(scene: Scene) -> None:
    """No fault: what the bench itself makes of the stream."""


async def kill_worker(scene: Scene) -> None:
    """SIGKILL every KILL_EVERY_S; the keeper starts it again."""
    for turn in range(1, int(scene.seconds // KILL_EVERY_S)):
        await scene.after(turn * KILL_EVERY_S)
        async with scene.fault("worker killed"):
            scene.worker.kill()


async def come_and_go(scene: Scene) -> None:
    """A second worker joins and leaves in turn, every TURN_S."""
    second = scene.stand.worker("worker-2")
    scene.stand.services.append(second)
    for turn in range(1, int(scene.seconds // TURN_S)):
        await scene.after(turn * TURN_S)
        if second.child is None:
            async with scene.fault("worker joined"):
                second.start()
        else:
            async with scene.fault("worker left"):
                await second.stop()
    await second.stop()


async def freeze_worker(scene: Scene) -> None:
    """One of two workers does nothing for FROZEN_S, loses its partitions to the other, and wakes up; then the other."""
    second = scene.stand.worker("worker-2")
    scene.stand.services.append(second)
    second.start()
    for part, service in ((0.2, scene.worker), (0.6, second)):
        await scene.at(part)
        async with scene.fault(f"worker frozen {_part(scene, FROZEN_S):.0f} s"):
            child = service.child
            if child is None or child.exit_code is not None:
                continue
            freeze(child)
            try:
                await asyncio.sleep(_part(scene, FROZEN_S))
            finally:
                thaw(child)


async def kill_broker(scene: Scene) -> None:
    """SIGKILL and restart, three times."""
    kafka = scene.stand.kafka
    if kafka is None:
        raise ValueError("only Apache Kafka comes back with what it had")
    for part in (0.2, 0.5, 0.8):
        await scene.at(part)
        async with scene.fault("broker killed"):
            await asyncio.to_thread(kafka.kill)
            await asyncio.to_thread(kafka.start)


async def pause_broker(scene: Scene) -> None:
    """SIGSTOP for PAUSE_S."""
    await scene.at(0.3)
    broker = scene.stand.broker
    async with scene.fault(f"broker paused {_part(scene, PAUSE_S):.0f} s"):
        freeze(broker)
        try:
            await asyncio.sleep(_part(scene, PAUSE_S))
        finally:
            thaw(broker)


async def stop_database(scene: Scene) -> None:
    """Crashed and restarted at once; later away for AWAY_S."""
    await scene.at(0.15)
    async with scene.fault("database restarted"):
        await scene.stand.stop_database(signal.SIGQUIT)
        await scene.stand.start_database()
    await scene.at(0.35)
    async with scene.fault(f"database away {_part(scene, AWAY_S):.0f} s"):
        await scene.stand.stop_database(signal.SIGINT)
        await asyncio.sleep(_part(scene, AWAY_S))
        await scene.stand.start_database()


async def cut_network(scene: Scene) -> None:
    """Between worker and database: refused, then a black hole that heals, then one that ends in a reset."""
    way = scene.stand.worker_way
    await scene.at(0.15)
    async with scene.fault("network refused 10 s"):
        await way.refuse()
        await asyncio.sleep(min(10.0, scene.seconds / 6))
        await way.start()
    await scene.at(0.35)
    async with scene.fault(f"network silent {_part(scene, AWAY_S):.0f} s"):
        way.swallow()
        await asyncio.sleep(_part(scene, AWAY_S))
        way.flow()
    await scene.at(0.8)
    async with scene.fault("network silent 10 s, then reset"):
        way.swallow()
        await asyncio.sleep(min(10.0, scene.seconds / 6))
        way.reset()
        way.flow()


async def kill_gateway(scene: Scene) -> None:
    """SIGKILL every KILL_EVERY_S, each time while requests wait for their answer."""
    for turn in range(1, int(scene.seconds // KILL_EVERY_S)):
        await scene.after(turn * KILL_EVERY_S)
        async with scene.fault("gateway killed in mid-request"):
            while not scene.gateway_link.in_flight:  # noqa: ASYNC110  # a request is in flight for milliseconds
                await asyncio.sleep(0.001)
            scene.gateway.kill()


async def lose_objects(scene: Scene) -> None:
    """S3 is killed, or the folder of objects is gone as a mount that was lost, while reports are asked for."""
    s3 = scene.stand.s3
    await scene.at(0.2)
    away = _without_s3(s3) if s3 else _without_folder(scene.stand.objects)
    async with scene.fault(f"object store away {_part(scene, AWAY_S):.0f} s, {REPORTS} reports asked for"), away:
        await _ask_for_reports(scene, _part(scene, AWAY_S))


async def fill_disk(scene: Scene) -> None:
    """No byte is free where objects rest, while reports are asked for."""
    filler = scene.stand.objects / "filler"
    await scene.at(0.2)
    async with scene.fault(f"disk of objects full {_part(scene, AWAY_S):.0f} s, {REPORTS} reports asked for"):
        await asyncio.to_thread(_fill, str(filler))
        try:
            await _ask_for_reports(scene, _part(scene, AWAY_S))
        finally:
            filler.unlink()


async def poison(scene: Scene) -> None:
    """One record in a hundred is no good, in three ways in turn."""
    count = max(3, round(scene.load.fleet.count * scene.seconds * POISON_SHARE))
    for number in range(count):
        await scene.after(2 + number * (scene.seconds - 3) / count)
        key, value = _poison(scene, number)
        await scene.kafka_link.publish(key, value)
        scene.poisons += 1
    async with scene.fault(f"{count} poison records"):
        pass


@asynccontextmanager
async def small_disk(folder: str) -> AsyncIterator[None]:
    """A disk of its own for the folder, which only root can give. Raises CalledProcessError where it can't be had."""
    mount = ["mount", "-t", "tmpfs", "-o", _TMPFS, "tmpfs", folder]
    await asyncio.to_thread(subprocess.run, mount, check=True, capture_output=True)
    try:
        yield
    finally:
        await asyncio.to_thread(subprocess.run, ["umount", "-l", folder], check=True, capture_output=True)


@asynccontextmanager
async def _without_s3(s3: S3Server) -> AsyncIterator[None]:
    await asyncio.to_thread(s3.kill)
    try:
        yield
    finally:
        await asyncio.to_thread(s3.start)


@asynccontextmanager
async def _without_folder(folder: Path) -> AsyncIterator[None]:
    away = folder.with_name("objects-away")
    _lose(folder, away)
    try:
        yield
    finally:
        _find_again(folder, away)


async def _ask_for_reports(scene: Scene, seconds: float) -> None:
    admin = await scene.admin()
    try:
        for _ in range(REPORTS):
            await scene.ask_for_report(admin)
            await asyncio.sleep(seconds / REPORTS)
    finally:
        await admin.close()


def _poison(scene: Scene, number: int) -> tuple[bytes, bytes]:
    """Key and value of a record that must become a dead letter."""
    bedsides = scene.load.fleet.bedsides
    bedside = bedsides[number % len(bedsides)]
    known = scene.load.ledger.blocks.get(bedside.recording_id)
    if number % 3 == 0 or not known:
        return topics.device_key(bedside.device_id), b"\xff no protobuf " + os.urandom(16)
    newest = known[max(known)]
    if number % 3 == 1:
        stranger = replace(newest, device_id=uuid4(), recording_id=uuid4())
        return topics.device_key(stranger.device_id), encode_pack([stranger])
    return topics.device_key(bedside.device_id), encode_pack([_contradicting(newest)])


def _contradicting(block: SampleBlock) -> SampleBlock:
    other = np.full((len(LEADS), RATE_HZ), 123, np.int16)
    other[block.samples == 123] = MISSING
    return replace(block, samples=other)


def _lose(folder: Path, away: Path) -> None:
    folder.rename(away)
    folder.touch()  # else the worker would make the folder anew


def _find_again(folder: Path, away: Path) -> None:
    folder.unlink()
    away.rename(folder)


def _fill(path: str) -> None:
    with open(path, "wb") as file:  # noqa: PTH123  # unbuffered writes until the disk says no
        try:
            while True:
                file.write(bytes(65_536))
                file.flush()
        except OSError:
            return


def _part(scene: Scene, seconds: float) -> float:
    """So long, or a third of a short load."""
    return min(seconds, scene.seconds / 3)
