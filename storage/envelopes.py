"""Envelopes: the lowest and the highest sample of each lead, of a row and of the points of a drawing; pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from schemas.samples import MISSING

_ABOVE_ALL = 32767


@dataclass(frozen=True, slots=True)
class Envelope:
    """The lowest and highest sample of each of `points` parts, both int16 of shape (leads, points).

    MISSING in both where a part has no sample.
    """

    minimum: NDArray[np.int16]
    maximum: NDArray[np.int16]

    def of_leads(self, chosen: Sequence[int]) -> Envelope:
        """Of those leads only, by their numbers, in this order."""
        return Envelope(self.minimum[list(chosen)], self.maximum[list(chosen)])


def envelope_bytes(samples: NDArray[np.int16]) -> bytes:
    """Lowest and highest of each lead of a row, int16 little-endian: 4 bytes a lead. `samples` has at least one."""
    highest = samples.max(axis=1)  # MISSING is below every sample already
    lowest = samples.min(axis=1)
    if (lowest == MISSING).any():
        lowest = np.where(samples == MISSING, _ABOVE_ALL, samples).min(axis=1)
        lowest[highest == MISSING] = MISSING
    return np.stack([lowest, highest], axis=1).astype("<i2").tobytes()


def envelope(samples: NDArray[np.int16], points: int) -> Envelope:
    """Lowest and highest per part of int16 `samples` of shape (leads, count), one at least."""
    leads, count = samples.shape
    drawing = Drawing(leads, 0, count, points)
    drawing.add_samples(0, samples)
    return drawing.envelope()


def starts_of(count: int, points: int) -> NDArray[np.int64]:
    """Where each of at most `points` equal parts of `count` samples begins; never two at one place."""
    parts = min(points, count)
    return np.arange(parts, dtype=np.int64) * count // parts


@dataclass(slots=True)
class Drawing:
    """An envelope that grows: of the samples [first_index, end_index) of `leads` leads in `points` parts.

    Samples and rows come in any order, and some may come twice. What comes out is what all of them decoded would give,
    sample by sample: a row's own envelope is taken only when the row lies within one part.
    """

    leads: int
    first_index: int
    end_index: int
    points: int
    _starts: NDArray[np.int64] = field(init=False)
    _lowest: NDArray[np.int16] = field(init=False)
    _highest: NDArray[np.int16] = field(init=False)

    def __post_init__(self) -> None:
        self._starts = starts_of(self.end_index - self.first_index, self.points)
        self._lowest = np.full((self.leads, len(self._starts)), _ABOVE_ALL, np.int16)
        self._highest = np.full((self.leads, len(self._starts)), MISSING, np.int16)

    def within_one_part(self, first: NDArray[np.int64], end: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Which of the rows [first, end) lie in the drawing and in one part of it."""
        inside = (first >= self.first_index) & (end <= self.end_index)
        return np.asarray(inside & (self._part_of(first) == self._part_of(end - 1)))

    def add_rows(self, first: NDArray[np.int64], envelopes: NDArray[np.int16]) -> None:
        """Take in rows that lie within one part each, by their envelopes, int16 of shape (rows, leads, 2)."""
        if not len(first):
            return
        parts = self._part_of(first)
        order = np.argsort(parts, kind="stable")
        parts, envelopes = parts[order], envelopes[order]
        begins = np.flatnonzero(np.diff(parts, prepend=-1))
        lowest = np.where(envelopes[:, :, 0] == MISSING, _ABOVE_ALL, envelopes[:, :, 0]).astype(np.int16)
        self._merge(
            parts[begins],
            np.minimum.reduceat(lowest, begins, axis=0).T,
            np.maximum.reduceat(envelopes[:, :, 1], begins, axis=0).T,
        )

    def add_samples(self, first_index: int, samples: NDArray[np.int16]) -> None:
        """Take in samples from `first_index` on, int16 of shape (leads, count); what lies outside is left out."""
        skipped = max(0, self.first_index - first_index)
        samples = samples[:, skipped : max(0, self.end_index - first_index)]
        if not samples.shape[1]:
            return
        begin = first_index + skipped - self.first_index
        first_part, last_part = np.searchsorted(self._starts, [begin, begin + samples.shape[1] - 1], side="right") - 1
        parts = np.arange(first_part, last_part + 1)
        begins = np.maximum(self._starts[parts] - begin, 0)
        lowest = np.where(samples == MISSING, np.int16(_ABOVE_ALL), samples)
        self._merge(parts, np.minimum.reduceat(lowest, begins, axis=1), np.maximum.reduceat(samples, begins, axis=1))

    def envelope(self) -> Envelope:
        """What has come so far."""
        lowest = np.where(self._highest == MISSING, np.int16(MISSING), self._lowest)
        return Envelope(lowest, self._highest.copy())

    def _part_of(self, index: NDArray[np.int64]) -> NDArray[np.int64]:
        return np.searchsorted(self._starts, index - self.first_index, side="right") - 1

    def _merge(self, parts: NDArray[np.int64], lowest: NDArray[np.int16], highest: NDArray[np.int16]) -> None:
        self._lowest[:, parts] = np.minimum(self._lowest[:, parts], lowest)
        self._highest[:, parts] = np.maximum(self._highest[:, parts], highest)
