"""Pauses grow, differ from device to device, and end; only an answer about the data is final."""

from __future__ import annotations

import pytest

from ingest.pauses import LONGEST_PAUSE_S, is_final, pause_after_s


def test_pauses_grow_to_a_bound() -> None:
    longest = [max(pause_after_s(n) for _ in range(50)) for n in (1, 3, 5, 7)]
    assert longest == sorted(longest)
    assert all(LONGEST_PAUSE_S / 2 <= pause_after_s(n) <= LONGEST_PAUSE_S for n in (20, 10_000))


def test_two_devices_do_not_march() -> None:
    assert len({pause_after_s(5) for _ in range(20)}) > 15


@pytest.mark.parametrize(
    ("status", "final"),
    [(400, True), (401, True), (403, True), (404, True), (413, True), (422, True),
     (408, False), (429, False), (500, False), (502, False), (503, False)],
)  # fmt: skip
def test_only_what_says_that_the_data_are_wrong_is_final(status: int, *, final: bool) -> None:
    assert is_final(status) is final
