"""The live WebSocket: who may watch, and what they see."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID, uuid4

import pytest
from aiokafka import AIOKafkaProducer
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from api.routes import live
from schemas import codec, topics
from schemas.metrics import Metrics
from schemas.samples import SampleBlock
from schemas.settings import Settings
from tests.api.ward import RATE_HZ, Ward
from tests.columns import as_results, metrics_pack

pytestmark = pytest.mark.embedded


@pytest.fixture
async def producer(settings: Settings) -> AsyncIterator[AIOKafkaProducer]:
    sending = AIOKafkaProducer(bootstrap_servers=settings.kafka.bootstrap, acks="all")
    await sending.start()
    yield sending
    await sending.stop()


def _address(served: str, user_id: UUID, query: str = "") -> str:
    return f"{served.replace('http', 'ws')}/ws/ecg/{user_id}{query}"


async def _told(socket: ClientConnection) -> dict[str, Any]:
    message: dict[str, Any] = json.loads(await socket.recv())
    return message


def _block(ward: Ward, device_id: UUID, first_index: int) -> SampleBlock:
    recording = ward.recording
    return SampleBlock(
        device_id=device_id,
        recording_id=recording.recording_id,
        first_index=first_index,
        started_at_us=recording.started_at_us,
        rate_hz=RATE_HZ,
        leads=recording.leads,
        uv_per_lsb=recording.uv_per_lsb,
        samples=ward.samples[:, first_index : first_index + 90],
    )


async def _close_code(address: str, **options: Any) -> tuple[int, str]:
    async with connect(address, **options) as socket:
        with pytest.raises(ConnectionClosed) as closed:
            await socket.recv()
    frame = closed.value.rcvd
    assert frame is not None
    return frame.code, frame.reason


@pytest.mark.parametrize("caller", ["ada", "doc", "root"])
async def test_hello_lists_the_devices_to_whoever_may_watch(served: str, ward: Ward, caller: str) -> None:
    address = _address(served, ward.ada.user.user_id)
    async with connect(address, additional_headers=ward.by_name(caller).headers) as socket:
        hello = await _told(socket)
    assert hello["type"] == "hello"
    hers = {str(ward.device.device_id), str(ward.silent_device.device_id)}
    assert {one["device_id"] for one in hello["devices"]} == hers


async def test_only_the_watched_user_s_samples_and_figures_come(
    served: str, ward: Ward, producer: AIOKafkaProducer
) -> None:
    mine, other = ward.device.device_id, ward.bobs_device.device_id
    protocols = [Subprotocol("leadwire"), Subprotocol(f"bearer.{ward.ada.token}")]
    async with connect(_address(served, ward.ada.user.user_id), subprotocols=protocols) as socket:
        assert socket.subprotocol == "leadwire"
        await _told(socket)
        pack = codec.encode_pack([_block(ward, other, 0), _block(ward, mine, 90)])
        await producer.send_and_wait(topics.SAMPLES, pack, b"partition-3")
        samples = await _told(socket)
        metrics = Metrics(mine, ward.recording.recording_id, 5, "test-1", heart_rate_bpm=61.0)
        pack = metrics_pack(as_results(metrics=[metrics]))
        await producer.send_and_wait(topics.METRICS, pack, b"3")
        figures = await _told(socket)
    assert (samples["type"], samples["device_id"], samples["first_index"]) == ("samples", str(mine), 90)
    assert samples["samples"][1] == ward.samples[1, 90:180].tolist()
    assert (figures["type"], figures["heart_rate_bpm"]) == ("metrics", 61.0)


async def test_a_watcher_can_ask_for_one_device(served: str, ward: Ward) -> None:
    query = f"?token={ward.ada.token}&device_id={ward.silent_device.device_id}"
    async with connect(_address(served, ward.ada.user.user_id, query)) as socket:
        hello = await _told(socket)
    assert [one["device_name"] for one in hello["devices"]] == ["H3"]


async def test_strangers_are_closed_out_with_the_remedy(served: str, ward: Ward) -> None:
    address = _address(served, ward.ada.user.user_id)
    assert (await _close_code(address))[0] == 4401
    code, reason = await _close_code(address, additional_headers={"Authorization": "Bearer nonsense"})
    assert code == 4401
    assert "log in again" in reason


async def test_another_s_patient_is_closed_out_like_one_who_does_not_exist(served: str, ward: Ward) -> None:
    for user_id in (ward.ada.user.user_id, uuid4()):
        code, reason = await _close_code(_address(served, user_id), additional_headers=ward.bob.headers)
        assert code == 4403
        assert reason.startswith(f"no user {user_id} among those you may see")


async def test_a_quiet_feed_still_beats(served: str, ward: Ward, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "_HEARTBEAT_S", 0.05)
    address = _address(served, ward.bob.user.user_id)
    async with connect(address, additional_headers=ward.bob.headers) as socket:
        kinds = [(await _told(socket))["type"] for _ in range(3)]
    assert kinds == ["hello", "heartbeat", "heartbeat"]
