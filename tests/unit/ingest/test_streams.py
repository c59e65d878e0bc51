"""A stream brings every block to the gateway once it is back, and a spool brings them over the client's own death."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from http import HTTPStatus
from pathlib import Path
from uuid import UUID

import numpy as np
import pytest

from ingest import pauses
from ingest.client import AsyncClient
from ingest.spool import Spool
from ingest.streams import SpoolFile
from schemas.codec import encode_pack
from schemas.errors import Busy, Malformed, Rejected
from schemas.samples import SampleBlock
from tests.unit.ingest.examples import BLOCK, block
from tests.unit.ingest.fake_gateway import FakeGateway, running

COUNT = 400
INDICES = [250 * n for n in range(COUNT)]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "device.spool"


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pauses, "LONGEST_PAUSE_S", 0.05)


def blocks(count: int = COUNT, first: int = 0) -> list[SampleBlock]:
    return [block(250 * n) for n in range(first, count)]


async def live(given: Sequence[SampleBlock]) -> AsyncIterator[SampleBlock]:
    for one in given:
        await asyncio.sleep(0)
        yield one


def client(gateway: FakeGateway) -> AsyncClient:
    return AsyncClient(gateway.url, device_token="lwd_good")


def indices(gateway: FakeGateway) -> list[int]:
    return sorted({stored.first_index for stored in gateway.stored})


@pytest.mark.parametrize("spooled", [False, True])
@pytest.mark.parametrize("is_live", [False, True])
async def test_every_block_arrives_in_order(path: Path, *, spooled: bool, is_live: bool) -> None:
    given = live(blocks()) if is_live else blocks()
    async with running(FakeGateway()) as gateway, client(gateway) as sdk:
        told = await sdk.stream(given, spool=path if spooled else None)
    assert [stored.first_index for stored in gateway.stored] == INDICES
    assert (told.acknowledged_index, told.acknowledged, told.repeated) == (250 * COUNT, COUNT, 0)


@pytest.mark.parametrize("spooled", [False, True])
async def test_a_live_source_loses_nothing_while_the_gateway_hangs_up(path: Path, *, spooled: bool) -> None:
    async with running(FakeGateway(hang_up_after=20, hang_ups=6, busy=True)) as gateway, client(gateway) as sdk:
        told = await sdk.stream(live(blocks()), spool=path if spooled else None)
    assert indices(gateway) == INDICES
    assert told.reconnects == 6


async def test_a_gateway_away_for_a_while_is_waited_for_and_the_spool_takes_what_comes_meanwhile(path: Path) -> None:
    async with running(FakeGateway(status=HTTPStatus.SERVICE_UNAVAILABLE)) as gateway, client(gateway) as sdk:
        streaming = asyncio.create_task(sdk.stream(live(blocks()), spool=path))
        while len(gateway.tokens) < 40:  # noqa: ASYNC110  # more attempts than any bound; the gateway tells of none
            await asyncio.sleep(0.01)
        assert not streaming.done()
        gateway.status = None
        told = await streaming
    assert indices(gateway) == INDICES
    assert told.reconnects >= 40


async def test_a_gateway_that_is_not_there_yet_is_waited_for(path: Path) -> None:
    async with running(FakeGateway()) as before:
        url = before.url
    sdk = AsyncClient(url, device_token="lwd_good")
    streaming = asyncio.create_task(sdk.stream(live(blocks()), spool=path))
    await asyncio.sleep(0.2)
    async with running(FakeGateway(), port=int(url.rpartition(":")[2])) as gateway:
        await streaming
    assert indices(gateway) == INDICES
    await sdk.close()


async def test_a_full_spool_is_told_at_once_and_keeps_what_it_took(path: Path) -> None:
    room = sum(len(encode_pack([one])) for one in blocks(10)) + 10
    async with running(FakeGateway(status=HTTPStatus.SERVICE_UNAVAILABLE)) as gateway, client(gateway) as sdk:
        with pytest.raises(Busy, match=r"is full.* sample 2500 of recording .* was not taken"):
            await sdk.stream(live(blocks()), spool=SpoolFile(path, room))
        gateway.status = None
        await sdk.stream(live(blocks(first=10)), spool=path)
    assert indices(gateway) == INDICES


async def test_a_refused_block_stays_in_the_spool_until_it_is_given_up(path: Path) -> None:
    async with running(FakeGateway(refuse=True)) as gateway, client(gateway) as sdk:
        with pytest.raises(Rejected, match="rate_hz is 0"):
            await sdk.stream(blocks(5), spool=path)
        with Spool(path) as spool:
            assert spool.blocks_waiting == 5
            spool.discard_oldest()
        gateway.refuse, gateway.stored = False, []
        await sdk.stream([], spool=path)
    assert [stored.first_index for stored in gateway.stored] == [250, 500, 750, 1000]


async def test_what_waits_of_an_older_recording_goes_first(path: Path) -> None:
    newer = [replace(one, recording_id=UUID(int=77)) for one in blocks(3)]
    with Spool(path) as spool:
        spool.append(blocks(5))
    async with running(FakeGateway()) as gateway, client(gateway) as sdk:
        told = await sdk.stream(newer, spool=path)
    sent = [(stored.recording_id, stored.first_index) for stored in gateway.stored]
    assert sent == [(one.recording_id, one.first_index) for one in [*blocks(5), *newer]]
    assert (told.take.recording_id, told.acknowledged_index, told.acknowledged) == (UUID(int=77), 750, 8)


async def test_a_source_that_fails_ends_the_stream_with_its_error(path: Path) -> None:
    async def failing() -> AsyncIterator[SampleBlock]:
        yield block(0)
        raise OSError("the electrode fell off")

    async with running(FakeGateway()) as gateway, client(gateway) as sdk:
        with pytest.raises(OSError, match="electrode"):
            await sdk.stream(failing(), spool=path)


async def test_nothing_to_send_and_another_devices_block_are_malformed(path: Path) -> None:
    async with running(FakeGateway()) as gateway, client(gateway) as sdk:
        with pytest.raises(Malformed, match="give at least one"):
            await sdk.stream([], spool=path)
        with pytest.raises(Malformed, match="give each device its own stream and spool"):
            await sdk.stream([BLOCK, block(250, UUID(int=5))], spool=path)


_STREAMS = """
import sys
from pathlib import Path
from ingest.client import Client
from tests.unit.ingest.test_streams import blocks
with Client(sys.argv[1], device_token="lwd_good") as client:
    client.stream(blocks(), spool=Path(sys.argv[2]))
"""


async def test_a_client_killed_in_mid_stream_goes_on_from_the_last_acknowledgement(path: Path) -> None:
    """The gateway takes 150 blocks and acknowledges 100 before the client is killed."""
    async with running(FakeGateway(deaf_after=100)) as gateway, client(gateway) as sdk:
        child = await asyncio.create_subprocess_exec(sys.executable, "-c", _STREAMS, gateway.url, str(path))
        async with asyncio.timeout(30):
            await gateway.until(150)
        os.kill(child.pid, signal.SIGKILL)
        await child.wait()
        gateway.deaf_after = None
        before = len(gateway.stored)
        told = await sdk.stream(blocks(), spool=path)
    assert indices(gateway) == INDICES
    assert np.array_equal(gateway.stored[-1].samples, BLOCK.samples)
    assert told.acknowledged == len(gateway.stored) - before
