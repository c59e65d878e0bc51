"""The webhook posts signed news, tries again within bounds, follows no redirect, and gives up loudly."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterator
from dataclasses import replace
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest
from prometheus_client import REGISTRY

from leadwire.embedded import free_port
from processors.alarm_feed import post
from processors.webhook import ATTEMPTS, Webhook
from schemas.alarms import NOTICE
from schemas.codec import encode_alarm
from schemas.rhythms import ASYSTOLE, BIGEMINY
from schemas.samples import Recording
from schemas.settings import AlarmSettings
from tests.storage.made import START_US, alarm_of

from .receiver import Receiver, receiving

RECORDING = Recording(UUID(int=2), UUID(int=1), UUID(int=77), START_US, 250.0, ("II",), (5.0,))
HIGH, LOW = (alarm_of(RECORDING, kind, START_US) for kind in (ASYSTOLE, BIGEMINY))


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as running:
        yield running


def webhook(url: str, **others: Any) -> Webhook:
    return Webhook(AlarmSettings.model_validate({"webhook_url": url, **others}), pause_s=0.001)


def outcomes(outcome: str) -> float:
    return REGISTRY.get_sample_value("leadwire_alarm_webhook_deliveries_total", {"outcome": outcome}) or 0.0


async def test_an_alarm_is_posted_as_json_that_says_what_it_is_not_for(receiver: Receiver) -> None:
    async with webhook(receiver.url) as hook:
        assert await hook.deliver(HIGH)
    [got] = receiver.got
    told = json.loads(got.body)
    assert (got.path, got.headers["content-type"]) == ("/alarms", "application/json")
    assert (told["event"], told["notice"]) == ("alarm.raised", NOTICE)
    assert (told["alarm"]["alarm_id"], told["alarm"]["kind"]) == (str(HIGH.alarm_id), ASYSTOLE)
    assert "x-leadwire-signature" not in got.headers


async def test_with_a_secret_the_body_is_signed(receiver: Receiver) -> None:
    async with webhook(receiver.url, webhook_secret="between us") as hook:
        await hook.deliver(HIGH)
    [got] = receiver.got
    expected = "sha256=" + hmac.new(b"between us", got.body, hashlib.sha256).hexdigest()
    assert got.headers["x-leadwire-signature"] == expected


async def test_the_same_news_has_the_same_delivery_id_and_other_news_another(receiver: Receiver) -> None:
    over = replace(HIGH, ended_at_us=HIGH.began_at_us + 1)
    async with webhook(receiver.url) as hook:
        for event in (HIGH, HIGH, over):
            await hook.deliver(event)
    first, again, ended = [got.headers["x-leadwire-delivery"] for got in receiver.got]
    assert first == again != ended


async def test_a_busy_receiver_is_asked_again(receiver: Receiver) -> None:
    receiver.answers = [503, 429, 500]
    before = outcomes("delivered")
    async with webhook(receiver.url) as hook:
        assert await hook.deliver(HIGH)
    assert (len(receiver.got), outcomes("delivered") - before) == (4, 1)


async def test_a_receiver_that_stays_busy_is_given_up_and_then_asked_once_each(receiver: Receiver) -> None:
    receiver.answers = [503] * (ATTEMPTS + 1)
    before = outcomes("failed")
    async with webhook(receiver.url) as hook:
        assert not await hook.deliver(HIGH)
        assert not await hook.deliver(HIGH)
        assert len(receiver.got) == ATTEMPTS + 1
        assert await hook.deliver(HIGH)
    assert outcomes("failed") - before == 2


@pytest.mark.parametrize("status", [301, 302, 307, 400, 401, 404, 410])
async def test_a_refusal_or_a_redirect_is_given_up_at_once(receiver: Receiver, status: int) -> None:
    receiver.answers = [status]
    before = outcomes("refused")
    async with webhook(receiver.url) as hook:
        assert not await hook.deliver(HIGH)
    assert ([got.path for got in receiver.got], outcomes("refused") - before) == (["/alarms"], 1)


async def test_nobody_at_the_address_is_given_up_after_a_few_tries() -> None:
    async with webhook(f"http://127.0.0.1:{free_port()}/") as hook:
        assert not await hook.deliver(HIGH)


@pytest.mark.parametrize(("lowest", "wanted"), [("low", 2), ("medium", 1), ("high", 1)])
async def test_only_what_is_urgent_enough_is_posted(receiver: Receiver, lowest: str, wanted: int) -> None:
    async with webhook(receiver.url, webhook_min_priority=lowest) as hook:
        for event in (HIGH, LOW):
            await post(hook, SimpleNamespace(value=encode_alarm(event)))
    assert len(receiver.got) == wanted


async def test_what_is_no_alarm_is_passed_over(receiver: Receiver) -> None:
    async with webhook(receiver.url) as hook:
        for value in (b"\xff", b"", None):
            await post(hook, SimpleNamespace(value=value))
    assert receiver.got == []
