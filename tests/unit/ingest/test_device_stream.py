"""A device's WebSocket answers each block once Kafka has it, and says what is wrong with a bad one."""

from __future__ import annotations

import json
from typing import Any

from ingest.device_stream import DeviceStream
from schemas.accounts import DeviceCaller
from schemas.clock import now_us
from schemas.codec import encode_pack
from schemas.errors import Busy
from schemas.samples import SampleBlock
from schemas.settings import HttpSettings
from tests.unit.ingest.examples import DEVICE, RECORDING, FakeSocket, block

SKEW_LIMIT = HttpSettings.model_validate({"max_clock_skew_s": 1e12, "max_body_bytes": 2000})


class Taker:
    """A producer that takes so many calls, then is busy."""

    def __init__(self, calls: int = 1000) -> None:
        self.left = calls
        self.taken: list[SampleBlock] = []

    async def send(self, blocks: list[SampleBlock]) -> None:
        if self.left == 0:
            raise Busy("Kafka is away; try again in 5 s")
        self.left -= 1
        self.taken += blocks


async def _known() -> None:
    """The token is still good."""


async def _run(socket: FakeSocket, producer: Taker) -> list[dict[str, Any]]:
    await DeviceStream(socket, DeviceCaller(DEVICE, None), producer, SKEW_LIMIT, _known).run()
    return [json.loads(text) for text in socket.told]


def _ack(first_index: int) -> dict[str, object]:
    return {"type": "ack", "recording_id": str(RECORDING), "first_index": first_index, "end_index": first_index + 250}


async def test_every_block_is_acknowledged_in_order() -> None:
    producer = Taker()
    told = await _run(FakeSocket(encode_pack([block(0), block(250)]), encode_pack([block(500)])), producer)
    assert told == [_ack(0), _ack(250), _ack(500)]
    assert [taken.first_index for taken in producer.taken] == [0, 250, 500]


async def test_a_text_frame_is_json() -> None:
    frame = {
        "device_id": str(DEVICE), "recording_id": str(RECORDING), "first_index": 0, "started_at_us": now_us(),
        "rate_hz": 250, "leads": ["II"], "uv_per_lsb": 5, "samples": [0] * 250,
    }  # fmt: skip
    assert await _run(FakeSocket(json.dumps(frame)), Taker()) == [_ack(0)]


async def test_after_a_bad_frame_the_connection_goes_on() -> None:
    told = await _run(FakeSocket(b"no protobuf", "{", b"x" * 2001, encode_pack([block(250)])), Taker())
    assert [(answer["frame"], answer["status"]) for answer in told[:3]] == [(0, 422), (1, 422), (2, 413)]
    assert told[3] == _ack(250)


async def test_another_devices_block_is_refused() -> None:
    [told] = await _run(FakeSocket(encode_pack([block(device_id=RECORDING)])), Taker())
    assert (told["status"], told["title"]) == (403, "Forbidden")


async def test_busy_closes_so_that_the_device_repeats_in_order() -> None:
    socket = FakeSocket(*(encode_pack([block(250 * n)]) for n in range(3)), stays=True)
    told = await _run(socket, Taker(calls=1))
    assert told[0] == _ack(0)
    assert (told[1]["status"], told[1]["retry_after_s"]) == (503, 5)
    assert (len(told), socket.closed) == (2, 1013)


async def test_a_device_that_hangs_up_loses_nothing_it_sent() -> None:
    producer = Taker()
    socket = FakeSocket(encode_pack([block(0)]), encode_pack([block(250)]))
    socket.closed = 1006
    assert await _run(socket, producer) == []
    assert len(producer.taken) == 2
