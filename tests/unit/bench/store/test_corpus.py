"""What the store's bench writes is all of the records, in the order of a live fleet."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from bench.store.corpus import Corpus, digest, in_batches, joined, live, made, stretch, windows

CORPUS = made(3, seconds=25.0)


def test_live_stretches_of_a_record_are_the_whole_record() -> None:
    for held in CORPUS.held:
        own = [each for each in live(CORPUS) if each.recording_id == held.recording.recording_id]
        assert np.array_equal(joined(own), held.samples)


def test_records_take_turns() -> None:
    ids = [each.recording_id for each in live(CORPUS)]
    assert ids[:3] == ids[3:6] == [held.recording.recording_id for held in CORPUS.held]


def test_shorter_records_drop_out_and_the_others_go_on() -> None:
    short = replace(CORPUS.held[0], samples=CORPUS.held[0].samples[:, :100])
    found = list(live(Corpus("two", (short, CORPUS.held[1]))))
    assert [each.samples.shape[1] for each in found] == [100, 2500, 2500, 1250]


def test_a_stretch_begins_when_its_first_sample_was_taken() -> None:
    held = CORPUS.held[0]
    assert stretch(held, 250, 500).started_at_us == held.recording.started_at_us + 1_000_000


def test_batches_hold_everything_once() -> None:
    batches = list(in_batches(live(CORPUS), 4))
    assert [len(batch) for batch in batches] == [4, 4, 1]
    assert [each.first_index for batch in batches for each in batch] == [each.first_index for each in live(CORPUS)]


def test_windows_lie_in_their_records_and_are_the_same_each_time() -> None:
    chosen = windows(CORPUS, 50)
    assert all(each.first >= 0 and each.end <= each.held.count and each.end - each.first == 2500 for each in chosen)
    assert [(each.held.name, each.first) for each in chosen] == [(e.held.name, e.first) for e in windows(CORPUS, 50)]


def test_a_gap_or_an_overlap_is_refused() -> None:
    held = CORPUS.held[0]
    for first in (999, 1001):
        with pytest.raises(ValueError, match="don't follow one another"):
            joined([stretch(held, 0, 1000), stretch(held, first, 2000)])


def test_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="not stored"):
        joined([])


def test_the_digest_tells_samples_apart_and_not_their_order() -> None:
    one, two = (held.recording.recording_id for held in CORPUS.held[:2])
    samples = {one: CORPUS.held[0].samples, two: CORPUS.held[1].samples}
    changed = samples[two].copy()
    changed[1, 7] += 1
    assert digest(samples) == digest({two: samples[two], one: samples[one]})
    assert digest(samples) != digest(samples | {two: changed})
    assert digest(samples) != digest({one: samples[one]})
