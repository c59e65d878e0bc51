"""The records that classes may be learned from, with the class of every beat."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bench.accuracy.classes import Labelled, read_classes
from bench.accuracy.records import Record, read_record, record_names
from bench.accuracy.references import Stretch, read_reference
from bench.accuracy.splits import DS1
from bench.training.recordings import FROM_MITDB

FOLDS: Final = 6
HEIGHT_S: Final = 0.06


@dataclass(frozen=True, slots=True)
class Classed:
    """A record of a patient, its beats with their classes, and the stretches that don't count."""

    patient: str
    fold: int
    record: Record
    beats: Labelled
    left_out: tuple[Stretch, ...]


def recordings(data: Path) -> list[Classed]:
    """DS1 of mitdb, then qtdb's records annotated throughout that are no stretches of mitdb."""
    paths = [data / "mitdb" / name for name in sorted(DS1)]
    paths += [data / "qtdb" / name for name in record_names(data / "qtdb", "atr") if name not in FROM_MITDB]
    folds = folds_of([path.name for path in paths])
    return [
        Classed(path.name, folds[path.name], read_record(path), read_classes(path), read_reference(path).left_out)
        for path in paths
    ]


def folds_of(names: list[str]) -> dict[str, int]:
    """The fold of each patient; those of mitdb are shared out evenly, so are the others."""
    rng = np.random.default_rng(7)
    groups = [sorted(name for name in names if (name in DS1) == first) for first in (True, False)]
    return {str(name): i % FOLDS for group in groups for i, name in enumerate(rng.permutation(group))}


def heights(samples: NDArray[np.float64], beats: Labelled, rate_hz: float) -> NDArray[np.float64]:
    """Median peak-to-peak height of normal QRS complexes on each lead, in the samples' unit."""
    reach = int(HEIGHT_S * rate_hz)
    at = beats.at[(beats.classes == 0) & (beats.at > reach) & (beats.at + reach < samples.shape[1])][:200]
    spans = np.array([np.ptp(samples[:, i - reach : i + reach], axis=1) for i in at])
    return np.asarray(np.median(spans, axis=0))


def mostly_normal(beats: Labelled) -> bool:
    """Whether other beats can be put among those of a record."""
    return bool((beats.classes == 0).mean() > 0.5)
