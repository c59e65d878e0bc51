"""Overlapping episodes become one line of rhythms."""

from __future__ import annotations

from itertools import pairwise
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from processors.timeline import CODE_OF, Span, spans
from schemas import rhythms
from schemas.rhythms import RhythmEpisode

RATE_HZ = 250.0


def episode(label: str, first_s: float, end_s: float) -> RhythmEpisode:
    return RhythmEpisode(
        device_id=UUID(int=1),
        recording_id=UUID(int=2),
        first_r_index=round(first_s * RATE_HZ),
        label=label,
        state="closed",
        started_at_us=round(first_s * 1e6),
        ended_at_us=round(end_s * 1e6),
        confidence=90.0,
        engine_version="made",
    )


def told(*episodes: RhythmEpisode) -> list[tuple[float, float, str]]:
    return [(span.first / RATE_HZ, span.end / RATE_HZ, span.code) for span in spans(episodes, RATE_HZ)]


def test_a_rhythm_within_another_interrupts_it() -> None:
    sinus, run = episode(rhythms.NORMAL, 0, 60), episode(rhythms.BIGEMINY, 20, 30)
    assert told(sinus, run) == [(0, 20, "(N"), (20, 30, "(B"), (30, 60, "(N")]


def test_neighbours_of_one_code_are_one_span() -> None:
    assert told(episode(rhythms.NORMAL, 0, 10), episode(rhythms.TACHYCARDIA, 10, 20)) == [(0, 20, "(N")]


def test_what_has_no_code_is_no_rhythm_change_and_gaps_stay_gaps() -> None:
    apart = episode(rhythms.NORMAL, 0, 10), episode(rhythms.NORMAL, 12, 20), episode(rhythms.PAUSE, 4, 8)
    assert told(*apart) == [(0, 10, "(N"), (12, 20, "(N")]


EPISODES = st.builds(episode, st.sampled_from(rhythms.LABELS), st.integers(0, 90), st.integers(90, 200))


@given(st.lists(EPISODES, max_size=9))
def test_spans_are_in_order_do_not_overlap_and_cover_what_the_episodes_cover(some: list[RhythmEpisode]) -> None:
    line = spans(some, RATE_HZ)
    assert all(a.end <= b.first and (a.end < b.first or a.code != b.code) for a, b in pairwise(line))
    assert _seconds(line) == {
        s for e in some if e.label in CODE_OF for s in range(e.started_at_us, e.ended_at_us, 1_000_000)
    }


def _seconds(line: list[Span]) -> set[int]:
    return {int(s * 1e6) for span in line for s in range(int(span.first / RATE_HZ), int(span.end / RATE_HZ))}
