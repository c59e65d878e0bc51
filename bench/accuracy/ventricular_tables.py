"""Tables of ventricular rhythms: by time, record by record, and what is stated where there is nothing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from bench.accuracy.references import Stretch
from bench.accuracy.spans import TimeScore, score_time, stretches_of, total_time
from bench.accuracy.tables import figure, table
from bench.accuracy.ventricular_runs import CODES, LABELS_OF, VentricularAnswer
from schemas import rhythms


@dataclass(frozen=True, slots=True)
class Reading:
    """Which annotated time is left out of the count."""

    name: str
    left_out: frozenset[str]


READINGS: Final = (
    Reading("everything counts", frozenset()),
    Reading("without NOISE", frozenset({"NOISE"})),
    Reading("without NOISE, HGEA", frozenset({"NOISE", "HGEA"})),
)
COUNTED: Final = (
    ("VT, VFL, VF, VFIB", "to be found: any of Ventricular Fibrillation, Ventricular Flutter, "
     "Sustained or Non-Sustained Ventricular Tachycardia finds it"),
    ("N, NSR, NOD, SBR, SVTA, AFIB, BI, B, T, P, PM, AFL, PREX, BII, IVR, VER", "everything else: sinus, nodal "
     "and atrial rhythms, blocks, bigeminy, paced, idioventricular and ventricular escape rhythm (slow)"),
    ("ASYS", "everything else here; an event of its own among the latencies"),
    ("HGEA", "high-grade ventricular ectopic activity, its runs not marked: everything else, left out in the last "
     "reading"),
    ("NOISE", "everything else in the first reading, else left out"),
    ("before the first code", "everything else"),
)  # fmt: skip


def codes_table() -> str:
    """How each rhythm code counts."""
    return table(["code", "counts as"], COUNTED, 2)


def scored(answer: VentricularAnswer, reading: Reading) -> TimeScore:
    """A record under a reading."""
    return score_time(
        answer.name, stretches_of(answer.annotated, CODES), answer.stretches(LABELS_OF), answer.count, answer.rate_hz,
        stretches_of(answer.annotated, reading.left_out),
    )  # fmt: skip


def totals_table(answers: Sequence[VentricularAnswer], readings: Sequence[Reading] = READINGS) -> str:
    """Gross figures of each group under each reading."""
    groups = list(dict.fromkeys(answer.group for answer in answers))
    rows = []
    for reading in readings:
        for group in groups:
            mine = [scored(answer, reading) for answer in answers if answer.group == group]
            rows.append([reading.name, group, *_figures(total_time(group, mine))])
    return table(["reading", "records", *_HEADINGS], rows, 2)


def records_table(answers: Sequence[VentricularAnswer], reading: Reading) -> str:
    """Each record under one reading."""
    rows = [[answer.name, answer.group, *_figures(scored(answer, reading))] for answer in answers]
    return table(["record", "group", *_HEADINGS], rows, 2)


STATED: Final = (
    (rhythms.VENTRICULAR_FIBRILLATION, "VF"), (rhythms.VENTRICULAR_FLUTTER, "VFL"),
    (rhythms.SUSTAINED_TACHYCARDIA, "VT, sustained"), (rhythms.NON_SUSTAINED_TACHYCARDIA, "VT, non-sustained"),
    (rhythms.IDIOVENTRICULAR, "idioventricular"), (rhythms.ASYSTOLE, "asystole"),
)  # fmt: skip
_NEAR_S: Final = 2.0


def false_table(databases: Iterable[tuple[str, Sequence[VentricularAnswer]]]) -> str:
    """Episodes stated of each label that lie nowhere near an annotated ventricular rhythm, by database and group."""
    rows = []
    for db, answers in databases:
        for group in dict.fromkeys(answer.group for answer in answers):
            mine = [answer for answer in answers if answer.group == group]
            hours = sum(answer.count / answer.rate_hz for answer in mine) / 3600
            rows.append([db, group, f"{hours:.1f}", *(str(sum(_false(a, label) for a in mine)) for label, _ in STATED)])
    return table(["database", "records", "h", *(name for _, name in STATED)], rows, 2)


def _false(answer: VentricularAnswer, label: str) -> int:
    reach = round(_NEAR_S * answer.rate_hz)
    real = stretches_of(answer.annotated, CODES | {"IVR", "VER", "ASYS", "HGEA"})
    return sum(not _near(span, real, reach) for span in answer.stretches([label]))


def _near(span: Stretch, real: Sequence[Stretch], reach: int) -> bool:
    return any(span.begin < each.end + reach and each.begin - reach < span.end for each in real)


_HEADINGS: Final = ("to be found s", "else s", "Se %", "Sp %", "PPV %")


def _figures(score: TimeScore) -> list[str]:
    return [
        f"{score.true_s + score.missed_s:.0f}", f"{score.false_s + score.rest_s:.0f}", figure(score.sensitivity, 2),
        figure(score.specificity, 2), figure(score.predictivity, 2),
    ]  # fmt: skip
