"""A broker that is away is Busy, with the setting to look at, and leaves nothing open."""

from __future__ import annotations

import socket

import pytest

from api.kafka import KafkaSource, ping
from schemas.errors import Busy
from schemas.settings import KafkaSettings


@pytest.fixture
def away() -> KafkaSettings:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    return KafkaSettings.model_validate({"bootstrap": f"127.0.0.1:{port}"})


async def test_no_sign_of_life_is_busy(away: KafkaSettings) -> None:
    with pytest.raises(Busy, match="set LEADWIRE_KAFKA_BOOTSTRAP"):
        await ping(away)


async def test_a_source_without_its_broker_is_busy(away: KafkaSettings) -> None:
    source = KafkaSource(away)
    with pytest.raises(Busy, match=away.bootstrap):
        await source.start()
    await source.stop()
    assert await source.records() == ()
