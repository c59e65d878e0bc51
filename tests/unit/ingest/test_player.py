"""A play gets every block to the gateway in order, through refusals, hang-ups and a gateway that is busy."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from uuid import UUID

import numpy as np
import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.http11 import Request, Response

from ingest.fleet import Seat, play_fleet
from ingest.player import Target, play
from ingest.simulation.strips import Strip
from ingest.simulator import VirtualPatient
from ingest.sources import RecordSource
from schemas.codec import decode_pack
from schemas.errors import Busy, Rejected, Unauthenticated
from schemas.samples import SampleBlock
from tests.unit.ingest.examples import DEVICE

SAMPLES = np.arange(2570, dtype=np.int16).reshape(1, -1)
SOURCE = RecordSource("r", 250.0, ("II",), (5.0,), SAMPLES)


@dataclass
class FakeGateway:
    """Acknowledges blocks; after `hang_up_after` of them in one connection it hangs up, `busy` tells why first."""

    hang_up_after: int | None = None
    hang_ups: int = 1
    busy: bool = False
    refuse: bool = False
    status: HTTPStatus | None = None
    stored: list[SampleBlock] = field(default_factory=list)
    tokens: list[str] = field(default_factory=list)
    url: str = ""

    def admit(self, connection: ServerConnection, request: Request) -> Response | None:
        self.tokens.append(request.headers["Authorization"])
        return None if self.status is None else connection.respond(self.status, json.dumps({"detail": "who?"}))

    async def handle(self, socket: ServerConnection) -> None:
        taken = 0
        async for frame in socket:
            assert isinstance(frame, bytes)
            if self.hang_ups and taken == self.hang_up_after:
                self.hang_ups -= 1
                if self.busy:
                    await socket.send(json.dumps({"type": "error", "frame": 0, "status": 503, "detail": "busy"}))
                await socket.close(1013)
                return
            [block] = decode_pack(frame)
            self.stored.append(block)
            await socket.send(json.dumps(self._answer(block)))
            taken += 1

    def _answer(self, block: SampleBlock) -> dict[str, object]:
        if self.refuse:
            return {"type": "error", "frame": 0, "status": 422, "detail": "rate_hz is 0; send 100 to 1000"}
        span = {"first_index": block.first_index, "end_index": block.end_index}
        return {"type": "ack", "recording_id": str(block.recording_id), **span}

    def samples(self) -> list[int]:
        """By index, repeats dropped."""
        by_index = {block.first_index: block.samples[0].tolist() for block in self.stored}
        return [value for index in sorted(by_index) for value in by_index[index]]

    @property
    def target(self) -> Target:
        return Target(self.url, DEVICE, "lwd_good")


@asynccontextmanager
async def _running(gateway: FakeGateway) -> AsyncIterator[FakeGateway]:
    async with serve(gateway.handle, "127.0.0.1", 0, process_request=gateway.admit) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        gateway.url = f"http://127.0.0.1:{port}"
        yield gateway


async def test_every_sample_arrives_once_and_in_order() -> None:
    async with _running(FakeGateway()) as gateway:
        told = await play(SOURCE, gateway.target, speed=0)
    assert gateway.samples() == SAMPLES[0].tolist()
    assert (told.acknowledged_index, told.blocks, told.repeated, told.reconnects) == (2570, 11, 0, 0)
    assert gateway.tokens == ["Bearer lwd_good"]


@pytest.mark.parametrize("busy", [False, True])
@pytest.mark.parametrize("after", [0, 1, 5])
async def test_a_broken_connection_is_resumed_from_the_last_acknowledgement(after: int, *, busy: bool) -> None:
    async with _running(FakeGateway(hang_up_after=after, busy=busy)) as gateway:
        told = await play(SOURCE, gateway.target, speed=0)
    assert gateway.samples() == SAMPLES[0].tolist()
    assert (told.acknowledged_index, told.blocks, told.reconnects) == (2570, 11, 1)
    assert told.repeated >= 1


async def test_a_gateway_that_always_hangs_up_is_busy_in_the_end() -> None:
    async with _running(FakeGateway(hang_up_after=0, hang_ups=99)) as gateway:
        with pytest.raises(Busy, match="failed 2 times in a row"):
            await play(SOURCE, gateway.target, speed=0, attempts=2)


async def test_no_gateway_is_busy_in_the_end() -> None:
    async with _running(FakeGateway()) as gateway:
        target = gateway.target
    with pytest.raises(Busy, match="see that it runs"):
        await play(SOURCE, target, speed=0, attempts=1)


async def test_a_refused_block_ends_the_play_with_the_gateways_words() -> None:
    async with _running(FakeGateway(refuse=True)) as gateway:
        with pytest.raises(Rejected, match="rate_hz is 0; send 100 to 1000"):
            await play(SOURCE, gateway.target, speed=0)


async def test_a_bad_token_ends_the_play_at_once() -> None:
    async with _running(FakeGateway(status=HTTPStatus.UNAUTHORIZED)) as gateway:
        with pytest.raises(Unauthenticated, match=r"who\?"):
            await play(SOURCE, gateway.target, speed=0)
    assert len(gateway.tokens) == 1


async def test_the_device_clock_runs_at_the_sample_rate_whatever_the_speed() -> None:
    async with _running(FakeGateway()) as gateway:
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
    async with _running(FakeGateway()) as gateway:
        patient = VirtualPatient("p", strip, 0)
        told = await play(patient, gateway.target, speed=0, on_progress=_stopping(stop, 10), stop=stop)
    assert told.sent_index == told.acknowledged_index > 0
    assert told.total is None


async def test_a_fleet_plays_every_seat() -> None:
    async with _running(FakeGateway()) as gateway:
        seats = [Seat(SOURCE, Target(gateway.url, UUID(int=n), "lwd_good")) for n in range(5)]
        told = await play_fleet(seats, speed=0, block_s=0.5)
    assert (told.blocks, told.reconnects) == (5 * 21, 0)
    assert {block.device_id for block in gateway.stored} == {seat.target.device_id for seat in seats}


async def test_a_fleet_fails_with_the_error_of_the_seat_that_failed() -> None:
    async with _running(FakeGateway(refuse=True)) as gateway:
        seats = [Seat(SOURCE, gateway.target)] * 3
        with pytest.raises(Rejected, match="rate_hz is 0"):
            await play_fleet(seats, speed=0, block_s=0.04)
