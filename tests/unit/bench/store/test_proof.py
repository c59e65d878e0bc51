"""A proof holds only when everything agrees."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bench.store.proof import Proof

GOOD = Proof(
    written="a1",
    read="a1",
    samples=10,
    hot_rows=0,
    archived_hours=1,
    expired_hours=1,
    written_anew=0,
    files=3,
    bad_files=0,
    stray_files=0,
    unreadable=(),
)


def test_equal_digests_and_whole_files_hold() -> None:
    assert GOOD.holds
    assert GOOD.told()["holds"] is True


@pytest.mark.parametrize(
    "bad",
    [replace(GOOD, read="b2"), replace(GOOD, bad_files=1), replace(GOOD, unreadable=("one",))],
    ids=["other samples", "a damaged file", "a recording with a gap"],
)
def test_anything_else_does_not(bad: Proof) -> None:
    assert not bad.holds
    assert bad.told()["holds"] is False
