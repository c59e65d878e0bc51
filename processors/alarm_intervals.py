"""The last intervals of a heart that may have become very slow: the middle one of three tells it first."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

MINUTE_MS: Final = 60_000.0
_OF: Final = 3
"""A pause, a missed beat or a compensatory pause is one long interval; two of three are a slow heart."""


@dataclass(slots=True)
class Intervals:
    """Beats as (moment, interval before it in ms), in order; an interval that is not known is 0.

    Kept only while one of them is extreme: of all other devices it is enough to know that none is.
    """

    beats: list[tuple[int, float]] = field(default_factory=list)

    def add(self, beats: Sequence[tuple[int, float]]) -> None:
        """Further beats; those of an older recording begin anew."""
        if beats and self.beats and beats[0][0] < self.beats[-1][0]:
            self.beats = []
        self.beats += beats

    def slow_bpm(self, end_us: int, low_bpm: int) -> float | None:
        """The rate of the middle one of the last three intervals before `end_us` if it is `low_bpm` or less."""
        end = self._before(end_us)
        last = sorted(rr_ms for _, rr_ms in self.beats[max(0, end - _OF) : end])
        middle = last[-2] if len(last) > 1 else 0.0
        return MINUTE_MS / middle if middle * low_bpm >= MINUTE_MS else None

    def forget(self, end_us: int, low_bpm: int) -> bool:
        """Drop what later seconds don't ask for; False when nothing extreme is left."""
        self.beats = self.beats[max(0, self._before(end_us) - _OF) :]
        return any(rr_ms * low_bpm >= MINUTE_MS for _, rr_ms in self.beats)

    def _before(self, end_us: int) -> int:
        return bisect_left(self.beats, (end_us, -1.0))
