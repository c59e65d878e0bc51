"""Every record as it is, of one lead and of all, and made harder in several ways."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from bench.training.noises import Noises
from bench.training.recordings import Marked, one_lead, recordings
from bench.training.spoiling import at_rate, blocked, regained, spoilt, with_spikes

RATES_HZ: Final = (100, 125, 128, 200, 250, 257, 300, 400, 500, 1000)


@dataclass(frozen=True, slots=True)
class Example:
    """A record as the detector is shown it; `kind` says what was done to it."""

    kind: str
    record: Marked


def corpus(data: Path, seed: int) -> Iterator[Example]:
    """Every example, in a fixed order with fixed noise."""
    noises = Noises(data)
    records = recordings(data)
    for number, record in enumerate(records):
        yield from _examples(record, noises, np.random.default_rng((seed, number)))
    for number, record in enumerate(records):
        rng = np.random.default_rng((seed, number, 1))
        yield Example("blocked", blocked(one_lead(record, int(rng.integers(2))), rng))


def _examples(record: Marked, noises: Noises, rng: np.random.Generator) -> Iterator[Example]:
    first = one_lead(record, 0)
    yield Example("lead 0", first)
    yield Example("lead 1", one_lead(record, 1))
    yield Example("both leads", record)
    rate = int(rng.choice(RATES_HZ))
    yield Example("lead 0, noise", spoilt(first, noises, rng))
    yield Example("both leads, noise", spoilt(record, noises, rng))
    changed = at_rate(regained(one_lead(record, int(rng.integers(2))), rng), rate)
    yield Example("another rate", with_spikes(changed, rng) if rng.random() < 0.2 else changed)
    yield Example("another rate, noise", spoilt(at_rate(first, int(rng.choice(RATES_HZ))), noises, rng))
