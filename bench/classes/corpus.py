"""What classes are learned from: every record as it is, with early beats, with foreign ones, and in noise."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np

from bench.classes.early import with_early_beats
from bench.classes.foreign import Donor, donors, with_foreign_beats
from bench.classes.recordings import Classed, mostly_normal, recordings
from bench.training.noises import Noises
from bench.training.recordings import Marked
from bench.training.spoiling import spoilt

VARIANTS: Final = 3
NO_SINUS: Final = frozenset({"201", "203"})
"""In atrial fibrillation most of the time: an early beat made there would be none."""


@dataclass(frozen=True, slots=True)
class Example:
    """A record as it is shown; `kind` says what was done to it, `lead` None is both leads."""

    kind: str
    lead: int | None
    source: Classed


def corpus(data: Path, seed: int) -> Iterator[Example]:
    """Every example, in a fixed order with fixed changes."""
    noises = Noises(data)
    sources = recordings(data)
    given = donors(sources)
    for number, source in enumerate(sources):
        for lead in (None, 0, 1):
            yield Example("as it is", lead, source)
        if not source.left_out:
            yield from _changed(source, given, noises, (seed, number))


def _changed(source: Classed, given: list[Donor], noises: Noises, seed: tuple[int, int]) -> Iterator[Example]:
    """Each change on both leads and on one of them."""
    for variant in range(VARIANTS):
        rng = np.random.default_rng((*seed, variant))
        made = {}
        if mostly_normal(source.beats):
            if source.patient not in NO_SINUS:
                made["early beats"] = with_early_beats(source, rng)
            made["foreign beats"] = with_foreign_beats(source, given, rng)
        if variant == 0:
            made["noise"] = _noisy(source, noises, rng)
        for kind, changed in made.items():
            yield Example(kind, None, changed)
            yield Example(kind, int(rng.integers(2)), changed)


def _noisy(source: Classed, noises: Noises, rng: np.random.Generator) -> Classed:
    record = source.record
    marked = Marked(record.name, record.rate_hz, record.uv_per_lsb, record.samples, source.beats.at, ())
    return replace(source, record=replace(record, samples=spoilt(marked, noises, rng).samples))
