"""Limits: who is over one is asked to wait, for as long as it lasts, and nobody else is."""

from __future__ import annotations

from typing import Any

import pytest
from prometheus_client import REGISTRY

from schemas.errors import Busy, TooFast
from schemas.settings import RateSettings
from storage.counts import MemoryCounts
from web.limits import Limits, Work, account_key, address_key


class Clock:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def limits(rates: dict[str, str] | None = None, clock: Clock | None = None) -> Limits:
    at = clock or Clock()
    return Limits(RateSettings.model_validate(rates or {}), MemoryCounts(at), at)


def told(kind: str) -> float:
    return REGISTRY.get_sample_value("leadwire_requests_limited_total", {"limit": kind}) or 0.0


@pytest.mark.parametrize("kind", ["requests", "anonymous", "samples"])
def test_a_request_over_the_rate_waits_and_is_counted_in_telemetry(kind: Work) -> None:
    few, before = limits({kind: "2 per minute"}), told(kind)
    few.request(kind, "a")
    few.request(kind, "a")
    with pytest.raises(TooFast, match="try again in 60 s") as refused:
        few.request(kind, "a")
    few.request(kind, "b")
    assert (refused.value.retry_after_s, told(kind)) == (60, before + 1)


def test_after_the_wait_there_is_room_again() -> None:
    clock = Clock()
    few = limits({"requests": "1 per minute"}, clock)
    few.request("requests", "a")
    clock.now_s = 60
    few.request("requests", "a")


async def test_an_empty_rate_is_no_limit() -> None:
    none = limits(dict.fromkeys(RateSettings.model_fields, ""))
    for _ in range(20_000):
        none.request("requests", "a")
    for _ in range(100):
        await none.attempt("lockout", "a")
        await none.token_failed("10.0.0.1")
    assert not none.is_barred("10.0.0.1")


async def test_ten_wrong_passwords_lock_and_a_right_one_before_that_forgives() -> None:
    usual = limits()
    for _ in range(9):
        await usual.attempt("lockout", "ada")
    await usual.attempt("lockout", "ada")
    await usual.forgive("lockout", "ada")
    for _ in range(10):
        await usual.attempt("lockout", "ada")
    with pytest.raises(TooFast, match="for this user name; try again in 900 s"):
        await usual.attempt("lockout", "ada")


async def test_a_server_that_is_away_locks_nobody_out() -> None:
    usual = limits()
    for _ in range(30):
        with pytest.raises(Busy):
            async with usual.guess("ada"):
                raise Busy("the database is away; try again")
    async with usual.guess("ada"):
        pass


async def test_bad_tokens_bar_an_address_until_their_count_is_forgotten() -> None:
    clock = Clock()
    few = limits({"failed_tokens": "2 per minute"}, clock)
    for clock.now_s in (0, 10, 20):
        await few.token_failed("10.0.0.1")
    assert (few.is_barred("10.0.0.1"), few.is_barred("10.0.0.2")) == (True, False)
    with pytest.raises(TooFast, match="from your address; try again in 40 s"):
        few.refuse_token("10.0.0.1")
    clock.now_s = 60
    assert not few.is_barred("10.0.0.1")


@pytest.mark.parametrize(
    ("client", "key"),
    [
        (("10.0.0.1", 5000), "10.0.0.1"),
        (("2001:db8:1:2:aaaa::1", 5000), "2001:db8:1:2::"),
        (("2001:db8:1:2::ffff", 5000), "2001:db8:1:2::"),
        (("::ffff:10.0.0.1", 5000), "10.0.0.1"),
        (("fe80::1%eth0", 5000), "fe80::"),
        (("testclient", 5000), "testclient"),
        (("no:address", 5000), "no:address"),
        (None, None),
    ],
)
def test_an_address_is_itself_or_its_network(client: Any, key: str | None) -> None:
    assert address_key({"client": client}) == key


def test_an_account_is_one_letter_case_aside_and_its_name_is_not_told() -> None:
    assert account_key("Ada") == account_key("ADA") != account_key("Eve")
    assert "ada" not in account_key("ada")
