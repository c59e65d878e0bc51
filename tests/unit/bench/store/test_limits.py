"""Limits are told as met, or by how much they are not."""

from __future__ import annotations

import pytest

from bench.store.limits import verdicts

GOOD = {
    "at_rest": {"bits_per_sample": 4.2},
    "write": {"m_samples_per_s": 20.0},
    "windows": {"p99_ms": 3.0},
    "http": {"protobuf": {"p99_ms": 10.0}, "json": {"p99_ms": 10.0}},
    "bulk": {"m_samples_per_client_core_s": 120.0},
}


def test_what_reaches_its_bound_is_met() -> None:
    assert [each.is_met for each in verdicts(GOOD)] == [True] * 6


def test_too_many_bits_are_told_by_how_much() -> None:
    [found] = list(verdicts({"at_rest": {"bits_per_sample": 6.3}}))
    assert found.told()["met"] is False
    assert found.told()["short_by_percent"] == pytest.approx(50)


def test_too_slow_a_read_is_told_by_how_much() -> None:
    [found] = list(verdicts({"bulk": {"m_samples_per_client_core_s": 60.0}}))
    assert (found.is_met, found.short_by) == (False, 1.0)


def test_what_was_not_measured_is_not_judged() -> None:
    assert list(verdicts({"write": {}})) == []
