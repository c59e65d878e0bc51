"""A play gets every block to the gateway in order, through refusals, hang-ups and a gateway that is busy."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from http import HTTPStatus
from uuid import UUID

import numpy as np
import pytest

from ingest.fleet import Seat, play_fleet
from ingest.player import Target, play
from ingest.simulation.strips import Strip
from ingest.simulator import VirtualPatient
from ingest.sources import RecordSource
from schemas.errors import Busy, Rejected, Unauthenticated
from tests.unit.ingest.fake_gateway import FakeGateway, running

SAMPLES = np.arange(2570, dtype=np.int16).reshape(1, -1)
SOURCE = RecordSource("r", 250.0, ("II",), (5.0,), SAMPLES)


async def test_every_sample_arrives_once_and_in_order() -> None:
    async with running(FakeGateway()) as gateway:
        told = await play(SOURCE, gateway.target, speed=0)
    assert gateway.samples() == SAMPLES[0].tolist()
    assert (told.acknowledged_index, told.blocks, told.repeated, told.reconnects) == (2570, 11, 0, 0)
    assert gateway.tokens == ["Bearer lwd_good"]


@pytest.mark.parametrize("busy", [False, True])
@pytest.mark.parametrize("after", [0, 1, 5])
async def test_a_broken_connection_is_resumed_from_the_last_acknowledgement(after: int, *, busy: bool) -> None:
    async with running(FakeGateway(hang_up_after=after, busy=busy)) as gateway:
        told = await play(SOURCE, gateway.target, speed=0)
    assert gateway.samples() == SAMPLES[0].tolist()
    assert (told.acknowledged_index, told.blocks, told.reconnects) == (2570, 11, 1)
    assert told.repeated >= 1


async def test_a_gateway_that_always_hangs_up_is_busy_in_the_end() -> None:
    async with running(FakeGateway(hang_up_after=0, hang_ups=99)) as gateway:
        with pytest.raises(Busy, match="failed 2 times in a row"):
            await play(SOURCE, gateway.target, speed=0, attempts=2)


async def test_no_gateway_is_busy_in_the_end() -> None:
    async with running(FakeGateway()) as gateway:
        target = gateway.target
    with pytest.raises(Busy, match="see that it runs"):
        await play(SOURCE, target, speed=0, attempts=1)


async def test_a_refused_block_ends_the_play_with_the_gateways_words() -> None:
    async with running(FakeGateway(refuse=True)) as gateway:
        with pytest.raises(Rejected, match="rate_hz is 0; send 100 to 1000"):
            await play(SOURCE, gateway.target, speed=0)


async def test_a_bad_token_ends_the_play_at_once() -> None:
    async with running(FakeGateway(status=HTTPStatus.UNAUTHORIZED)) as gateway:
        with pytest.raises(Unauthenticated, match=r"who\?"):
            await play(SOURCE, gateway.target, speed=0)
    assert len(gateway.tokens) == 1


async def test_the_device_clock_runs_at_the_sample_rate_whatever_the_speed() -> None:
    async with running(FakeGateway()) as gateway:
        told = await play(SOURCE, gateway.target, speed=200, block_s=2)
    starts = [block.started_at_us - told.take.started_at_us for block in gateway.stored]
    assert starts == [block.first_index * 4000 for block in gateway.stored]


def _stopping(event: asyncio.Event, after: int) -> Callable[[object], None]:
    calls = iter(range(after))

    def note(_: object) -> None:
        if next(calls, None) is None:
            event.set()

    return note


async def test_stop_ends_what_never_ends_and_what_was_sent_is_acknowledged() -> None:
    strip = Strip("normal", 250.0, ("II",), SAMPLES, np.array([5]), np.array([False]))
    stop = asyncio.Event()
    async with running(FakeGateway()) as gateway:
        patient = VirtualPatient("p", strip, 0)
        told = await play(patient, gateway.target, speed=0, on_progress=_stopping(stop, 10), stop=stop)
    assert told.sent_index == told.acknowledged_index > 0
    assert told.total is None


async def test_a_fleet_plays_every_seat() -> None:
    async with running(FakeGateway()) as gateway:
        seats = [Seat(SOURCE, Target(gateway.url, UUID(int=n), "lwd_good")) for n in range(5)]
        told = await play_fleet(seats, speed=0, block_s=0.5)
    assert (told.blocks, told.reconnects) == (5 * 21, 0)
    assert {block.device_id for block in gateway.stored} == {seat.target.device_id for seat in seats}


async def test_a_fleet_fails_with_the_error_of_the_seat_that_failed() -> None:
    async with running(FakeGateway(refuse=True)) as gateway:
        seats = [Seat(SOURCE, gateway.target)] * 3
        with pytest.raises(Rejected, match="rate_hz is 0"):
            await play_fleet(seats, speed=0, block_s=0.04)
