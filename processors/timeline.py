"""Episodes that overlap as one line of rhythms, one after the other, in the codes of WFDB."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from schemas import rhythms
from schemas.rhythms import RhythmEpisode

CODE_OF: Final = {
    rhythms.VENTRICULAR_FIBRILLATION: "(VF",
    rhythms.VENTRICULAR_FLUTTER: "(VFL",
    rhythms.ASYSTOLE: "(ASYS",
    rhythms.SUSTAINED_TACHYCARDIA: "(VT",
    rhythms.NON_SUSTAINED_TACHYCARDIA: "(VT",
    rhythms.IDIOVENTRICULAR: "(IVR",
    rhythms.LEAD_OFF: "(NOISE",
    rhythms.NOISE: "(NOISE",
    rhythms.ATRIAL_FIBRILLATION: "(AFIB",
    rhythms.ATRIAL_FLUTTER: "(AFL",
    rhythms.SUPRAVENTRICULAR_TACHYCARDIA: "(SVTA",
    rhythms.SECOND_DEGREE_BLOCK: "(BII",
    rhythms.BIGEMINY: "(B",
    rhythms.TRIGEMINY: "(T",
    rhythms.PACED: "(P",
    rhythms.IRREGULAR: "(IRREG",
    rhythms.BRADYCARDIA: "(SBR",
    rhythms.NORMAL: "(N",
    rhythms.TACHYCARDIA: "(N",
    rhythms.SINUS_ARRHYTHMIA: "(N",
}
"""WFDB's rhythm code of each label that has one, the most urgent first; IRREG is ours.

WFDB has none for sinus tachycardia and sinus arrhythmia, which are sinus rhythm all the same. Other labels are no
rhythm of their own: pauses and premature beats show in the beats, the rest stands in the episodes.
"""
_URGENCY: Final = {label: -position for position, label in enumerate(CODE_OF)}


@dataclass(frozen=True, slots=True)
class Span:
    """Samples [first, end) of a recording under one rhythm code."""

    first: int
    end: int
    code: str


def spans(episodes: Iterable[RhythmEpisode], rate_hz: float) -> list[Span]:
    """The rhythm at every moment that has one: of episodes that overlap, the most urgent. In order, without overlap.

    Neighbours of one code are one span. Episodes are those of one recording in their last state.
    """
    edges = sorted(edge for episode in episodes if episode.label in CODE_OF for edge in _edges(episode, rate_hz))
    open_now: Counter[str] = Counter()
    line: list[Span] = []
    for (first, label, change), (end, *_) in pairwise(edges):
        open_now[label] += change
        here = +open_now
        if end > first and here:
            _extend(line, Span(first, end, CODE_OF[max(here, key=_URGENCY.__getitem__)]))
    return line


def _extend(line: list[Span], span: Span) -> None:
    if line and line[-1].end == span.first and line[-1].code == span.code:
        span = Span(line.pop().first, span.end, span.code)
    line.append(span)


def _edges(episode: RhythmEpisode, rate_hz: float) -> list[tuple[int, str, int]]:
    """Where it begins and ends, and by how much it changes the count of its label there."""
    seconds = (episode.ended_at_us - episode.started_at_us) / 1e6
    end = episode.first_r_index + round(seconds * rate_hz)
    return [(episode.first_r_index, episode.label, 1), (end, episode.label, -1)]
