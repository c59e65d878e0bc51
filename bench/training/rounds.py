"""Training in rounds: first with the true history, then with the detector's own decisions as history."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from bench.accuracy.beats import BeatScore
from bench.accuracy.splits import DS1, PACED
from bench.training.lessons import Exercise, joined, learned_from, score
from bench.training.network import Network, fitted

FIRST_EPOCHS: Final = 6
EPOCHS: Final = (4, 8)
"""Of the rounds with the detector's own history (DAgger, Ross et al. 2011); each learns from all of them so far."""
FOLDS: Final = 4

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Scored:
    """An exercise's score under the group and kind it is told of."""

    group: str
    kind: str
    score: BeatScore


def train(exercises: Sequence[Exercise], seed: int, say: Say) -> Network:
    """A network for these exercises."""
    rng = np.random.default_rng(seed)
    silent = Network.silent()
    taught = [learned_from(e, silent, rng, True) for e in exercises if len(e.signal) == 1]
    network = fitted(joined(taught), FIRST_EPOCHS, seed)
    own = []
    for number, epochs in enumerate(EPOCHS, start=1):
        rng = np.random.default_rng(seed + number)
        own += [learned_from(e, network, rng, False) for e in exercises]
        lessons = joined(own)
        network = fitted(lessons, epochs, seed + number)
        say(f"round {number}: {len(lessons.beats)} decisions")
    return network


def folds(exercises: Sequence[Exercise]) -> dict[str, int]:
    """The fold of each record; those of mitdb's training split are shared out evenly."""
    rng = np.random.default_rng(5)
    names = sorted({e.name for e in exercises})
    ds1 = [str(name) for name in rng.permutation([name for name in names if name in DS1])]
    rest = [str(name) for name in rng.permutation([name for name in names if name not in DS1])]
    return {name: i % FOLDS for group in (ds1, rest) for i, name in enumerate(group)}


def cross_validated(exercises: Sequence[Exercise], seed: int, say: Say) -> Iterator[Scored]:
    """Each record's scores by a network that has learned from other records only."""
    fold = folds(exercises)
    for k in range(FOLDS):
        network = train([e for e in exercises if fold[e.name] != k], seed, say)
        say(f"fold {k + 1} of {FOLDS}")
        yield from scores([e for e in exercises if fold[e.name] == k], network)


def scores(exercises: Sequence[Exercise], network: Network) -> Iterator[Scored]:
    for made in exercises:
        group = "DS1" if made.name in DS1 else "paced" if made.name in PACED else "qtdb"
        yield Scored(group, made.kind, score(made, network))
