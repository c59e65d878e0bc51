"""What the network learns from: histories of records with the rhythm of each beat."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bench.accuracy.histories import History, history_of_beats, history_of_signal
from bench.accuracy.records import record_names
from bench.accuracy.spans import annotated_spans, held, stretches_of
from bench.accuracy.splits import DS1, chosen_on
from bench.accuracy.verdicts import read_verdicts

SOUGHT: Final = frozenset({"AFIB", "AFL"})
"""Flutter's intervals are often those of fibrillation: the network finds both, atrial_flutter.py tells them apart."""


@dataclass(frozen=True, slots=True)
class Told:
    """A history; of each beat whether the atria fibrillate or flutter."""

    kind: str
    history: History
    fibrillates: NDArray[np.bool_]


def corpus(data: Path) -> list[Told]:
    """DS1 of mitdb, and every other record of afdb and of challenge2017 (but its noise), the first included."""
    mitdb = [_by_rhythm("mitdb", data, history_of_signal(data / "mitdb" / name)) for name in sorted(DS1)]
    afdb = record_names(data / "afdb_ann", "qrs")
    afdb_told = [
        _by_rhythm("afdb_ann", data, history_of_beats(data / "afdb_ann" / name)) for name in sorted(chosen_on(afdb))
    ]
    verdicts = read_verdicts(data / "challenge2017")
    chosen = [name for name in sorted(chosen_on(list(verdicts))) if verdicts[name] != "~"]
    return [*mitdb, *afdb_told, *(_by_verdict(data, name, verdicts[name]) for name in chosen)]


def _by_rhythm(db: str, data: Path, history: History) -> Told:
    spans = annotated_spans(data / db / history.name, history.count)
    return Told(db, history, held(stretches_of(spans, SOUGHT), history.count)[history.r_index])


def _by_verdict(data: Path, name: str, verdict: str) -> Told:
    history = history_of_signal(data / "challenge2017" / name)
    return Told("challenge2017", history, np.full(len(history.r_index), verdict == "A"))
