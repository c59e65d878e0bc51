"""Records with ventricular rhythms streamed through the engine: what it stated, and when."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from bench.accuracy.records import DEVICE, Record, blocks, read_record, record_names
from bench.accuracy.references import Stretch
from bench.accuracy.spans import Span, annotated_spans, stated_spans, stretches_of
from bench.accuracy.splits import DS1, DS2, PACED, chosen_on
from processors.ecg.engines import EngineName, engine
from schemas import rhythms
from schemas.rhythms import LABELS

CODES: Final = frozenset({"VT", "VFL", "VF", "VFIB"})
"""The annotators' codes of what is to be found."""
LABELS_OF: Final = frozenset(
    {
        rhythms.VENTRICULAR_FIBRILLATION,
        rhythms.VENTRICULAR_FLUTTER,
        rhythms.SUSTAINED_TACHYCARDIA,
        rhythms.NON_SUSTAINED_TACHYCARDIA,
    }
)
"""The labels that find it."""
OPENED: Final = 0
CLOSED: Final = 2


@dataclass(frozen=True, slots=True)
class Told:
    """From when to when a label was stated, in seconds of the record as it had been sent by then."""

    label: str
    begin_s: float
    end_s: float


@dataclass(frozen=True, slots=True)
class Streamed:
    """The rows of a record that was streamed, and when each label was opened and closed."""

    beats: NDArray[Any]
    metrics: NDArray[Any]
    episodes: NDArray[Any]
    told: tuple[Told, ...]


@dataclass(frozen=True, slots=True)
class VentricularAnswer:
    """A record's annotated and stated spans, and when labels were stated as it streamed."""

    name: str
    group: str
    rate_hz: float
    count: int
    annotated: tuple[Span, ...]
    stated: tuple[Span, ...]
    told: tuple[Told, ...]

    def stretches(self, labels: Collection[str]) -> tuple[Stretch, ...]:
        """Where one of the labels was stated."""
        return stretches_of(self.stated, labels)


def streamed(record: Record, name: EngineName = "fast", block_s: float = 1.0) -> Streamed:
    """Send a record block by block and note after which block each label came and went."""
    chosen = engine(name)
    state = chosen.new_state()
    given, rows = [], []
    sent_s = 0.0
    for block in blocks(record, block_s):
        step = chosen.step([block], state)
        state = step.state
        sent_s += block.count / record.rate_hz
        given.append(step.results)
        rows += [(sent_s, row) for row in step.results.episodes if row["state"] != 1]
    given.append(chosen.close([DEVICE], state).results)
    rows += [(sent_s, row) for row in given[-1].episodes]
    beats, metrics, episodes = (
        np.concatenate([getattr(results, kind) for results in given]) for kind in ("beats", "metrics", "episodes")
    )
    return Streamed(beats, metrics, episodes, tuple(_told(rows, sent_s)))


def _told(rows: list[tuple[float, Any]], end_s: float) -> Iterator[Told]:
    begun: dict[tuple[int, int], float] = {}
    for at_s, row in rows:
        key = (int(row["rhythm"]), int(row["first_r_index"]))
        if row["state"] == OPENED:
            begun[key] = at_s
        elif row["state"] == CLOSED and key in begun:
            yield Told(LABELS[key[0]], begun.pop(key), at_s)
    for key, at_s in begun.items():
        yield Told(LABELS[key[0]], at_s, end_s)


def vfdb_answers(data: Path, name: EngineName, block_s: float) -> list[VentricularAnswer]:
    """Every record of vfdb, those the network learned from and those held back."""
    names = record_names(data / "vfdb", "atr")
    chosen = chosen_on(names)
    groups = {each: "chosen on" if each in chosen else "held back" for each in names}
    return [answer(data / "vfdb" / each, groups[each], name, block_s) for each in names]


def mitdb_answers(data: Path, name: EngineName, block_s: float) -> list[VentricularAnswer]:
    """Every record of mitdb."""
    groups = [("DS1", DS1), ("DS2", DS2), ("paced", PACED)]
    return [answer(data / "mitdb" / each, group, name, block_s) for group, names in groups for each in sorted(names)]


def challenge_answers(data: Path, name: EngineName, block_s: float) -> list[VentricularAnswer]:
    """Every record of challenge2017; the network learned from the first half of them."""
    names = sorted(path.stem for path in (data / "challenge2017").glob("*.hea"))
    half = len(names) // 2
    return [
        answer(data / "challenge2017" / each, "chosen on" if i < half else "held back", name, block_s)
        for i, each in enumerate(names)
    ]


def answer(path: Path, group: str, name: EngineName = "fast", block_s: float = 1.0) -> VentricularAnswer:
    """One record; one without annotations has no ventricular rhythm."""
    record = read_record(path)
    said = streamed(record, name, block_s)
    annotated = annotated_spans(path, record.count) if path.with_suffix(".atr").exists() else ()
    stated = stated_spans(said.episodes, record.rate_hz)
    return VentricularAnswer(record.name, group, record.rate_hz, record.count, annotated, stated, said.told)
