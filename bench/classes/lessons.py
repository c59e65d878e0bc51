"""What the engine sees of each beat of an example, and the class it should tell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bench.accuracy.classes import Labelled
from bench.accuracy.matching import WINDOW_S, pairs
from bench.accuracy.records import blocks
from bench.accuracy.references import inside
from bench.classes.corpus import Example
from processors.ecg.engine import VERSION
from processors.ecg.plan import Plan
from processors.ecg.slots import SlotTable
from processors.ecg.state import CLASS_ANSWERS, CLASSED, TRAITS, WORK

NO_BEAT: Final = -1
LEFT_OUT: Final = -2
BLOCK_S: Final = 0.2
"""So short that hardly ever two beats become rows in one: only the last one's traits are there to be read."""
NORMAL_KEPT: Final = 0.3
"""Share of the normal beats that is learned from, each counting as much more."""


@dataclass(frozen=True, slots=True)
class Lesson:
    """Of an example: traits (n, CLASSED, TRAITS) of its detections, on how many leads, and their true classes."""

    patient: str
    fold: int
    kind: str
    lead: int | None
    traits: NDArray[np.float32]
    leads: NDArray[np.int64]
    classes: NDArray[np.int64]
    found: Labelled
    """Where the detections are; of the class told in place of the true one there is nothing yet (zeros)."""


@dataclass(frozen=True, slots=True)
class Lessons:
    """Many beats to learn from: traits, on how many leads, class, and how much each counts."""

    traits: NDArray[np.float32]
    leads: NDArray[np.int64]
    classes: NDArray[np.int64]
    weights: NDArray[np.float32]


def lesson(example: Example) -> Lesson:
    """Stream the example through the engine and look at what each beat was judged by."""
    source = example.source
    record = source.record if example.lead is None else source.record.only(example.lead)
    table, works = SlotTable(), np.zeros(1, WORK)
    traits, leads, at = [], [], []
    for block in blocks(record, BLOCK_S):
        plan = Plan(table)
        plan.take(block)
        beats = plan.run(VERSION, works).beats
        if beats.size:
            slot = table.held[block.device_id].slot
            traits.append(works["traits"][0].copy())
            leads.append(min(CLASSED, int(table.devices[slot]["measured_leads"])))
            at.append(int(beats["r_index"][-1]))
    found = np.array(at, np.int64)
    paired = pairs(source.beats.at, found, WINDOW_S * record.rate_hz)
    classes = np.full(len(found), NO_BEAT)
    classes[paired.found] = source.beats.classes[paired.reference]
    classes[inside(found, source.left_out)] = LEFT_OUT
    nothing = Labelled(found, np.zeros(len(found), np.int64))
    return Lesson(
        source.patient, source.fold, example.kind, example.lead, np.array(traits), np.array(leads), classes, nothing
    )


def joined(lessons: Sequence[Lesson], seed: int) -> Lessons:
    """All beats that can be learned from; a false detection should be told N, which does no harm.

    The beats of a class in a record count together as the square root of their number: no record rules the others.
    """
    rng = np.random.default_rng(seed)
    parts = [_part(each, rng) for each in lessons]
    weights = np.concatenate([part.weights for part in parts])
    return Lessons(
        np.concatenate([part.traits for part in parts]),
        np.concatenate([part.leads for part in parts]),
        np.concatenate([part.classes for part in parts]),
        (weights / weights.mean()).astype(np.float32),
    )


def _part(each: Lesson, rng: np.random.Generator) -> Lessons:
    classes = each.classes
    weights = np.zeros(len(classes), np.float32)
    for told in range(NO_BEAT, CLASS_ANSWERS):
        held = classes == told
        if held.any():
            weights[held] = held.sum() ** -0.5
    share = np.where(classes == 0, NORMAL_KEPT, 1.0)
    kept = (classes > LEFT_OUT) & (classes < CLASS_ANSWERS) & (rng.random(len(classes)) < share)
    traits = each.traits[kept].reshape(-1, CLASSED, TRAITS)
    each_counts = (weights / share)[kept].astype(np.float32)
    return Lessons(traits, each.leads[kept], np.maximum(classes[kept], 0), each_counts)
