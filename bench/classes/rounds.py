"""Training on all lessons, and on those of other patients to tell how the network does on patients it has not met."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np

from bench.accuracy.classes import NOTHING, ClassScore
from bench.accuracy.splits import DS1
from bench.classes.lessons import LEFT_OUT, NO_BEAT, Lesson, joined
from bench.classes.network import Network, fitted
from bench.classes.recordings import FOLDS

LEANING: Final = np.array([0.0, -0.5, 0.25, 0.5], np.float32)
"""Added to the answers N, S, V, F: where false and missed beats balance on DS1's records left out in turn."""


def train(lessons: Sequence[Lesson], seed: int) -> Network:
    return fitted(joined(lessons, seed), seed).leaning(LEANING)


def cross_validated(lessons: Sequence[Lesson], seed: int) -> Iterator[tuple[Lesson, ClassScore]]:
    """The score of each record as it is, by a network that has learned from other patients only."""
    for fold in range(FOLDS):
        network = train([each for each in lessons if each.fold != fold], seed)
        for each in lessons:
            if each.fold == fold and each.kind == "as it is":
                yield each, scored(each, network)


def scored(each: Lesson, network: Network) -> ClassScore:
    """Of the beats that were detected; those that were not are no matter of this network."""
    told = network.answers(each.traits, each.leads).argmax(1)
    counts = np.zeros((NOTHING + 1, NOTHING + 1), np.int64)
    held = each.classes > LEFT_OUT
    rows = np.where(each.classes == NO_BEAT, NOTHING, each.classes)
    np.add.at(counts, (rows[held], told[held]), 1)
    return ClassScore(each.patient, counts)


def group_of(each: Lesson) -> str:
    lead = "both leads" if each.lead is None else f"lead {each.lead}"
    return f"{'DS1' if each.patient in DS1 else 'qtdb'}, {lead}"
