"""A fleet's rows are what so many live devices give, and none is told twice."""

from __future__ import annotations

from itertools import chain

import numpy as np

from bench.store.corpus import made
from bench.store.fleet import TICKS_A_SECOND, Fleet, together

FLEET = Fleet(50, 1_767_225_600_000_000, made(1).held[0].samples)
ROWS = [FLEET.rows(tick) for tick in range(30 * TICKS_A_SECOND)]


def test_a_second_has_a_row_of_metrics_of_every_device_and_a_fifth_more_beats() -> None:
    second = together(ROWS[:TICKS_A_SECOND])
    assert sum(each.results.metrics.size for each in second.decided) == 50
    assert sum(each.results.beats.size for each in second.decided) == 60


def test_ten_seconds_have_a_stretch_of_every_device() -> None:
    ten = together(ROWS[:100])
    assert len({each.device_id for each in ten.stretches}) == len(ten.stretches) == 50


def test_stretches_of_a_device_follow_one_another() -> None:
    own = [each for each in chain(*(rows.stretches for rows in ROWS)) if each.device_id == FLEET.sources[7].device_id]
    assert [each.first_index for each in own] == [0, 2500, 5000]
    assert np.diff([each.started_at_us for each in own]).tolist() == [10_000_000, 10_000_000]


def test_no_beat_has_the_identity_of_another() -> None:
    seen = [
        (each.results.sources[beat["source"]].recording_id, int(beat["r_index"]))
        for rows in ROWS
        for each in rows.decided
        for beat in each.results.beats
    ]
    assert len(set(seen)) == len(seen) == 60 * 30


def test_the_first_stretch_ends_when_it_is_told_of() -> None:
    [first] = FLEET.stretches(3)
    assert first.started_at_us + 10_000_000 == FLEET.start_us + 300_000
