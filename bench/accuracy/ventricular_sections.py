"""The section of the page that tells of ventricular rhythms and of how soon they are stated."""

from __future__ import annotations

from pathlib import Path

from bench.accuracy import latencies, made_events, ventricular_runs, ventricular_tables
from bench.accuracy.latencies import Latency
from bench.accuracy.pages import Part, Section
from bench.accuracy.sections import Asked, made_by
from bench.accuracy.ventricular_runs import CODES, LABELS_OF, VentricularAnswer
from schemas import rhythms


def ventricular_section(data: Path, asked: Asked) -> Section:
    """vfdb by time; latencies; what is stated falsely in mitdb and challenge2017."""  # noqa: D403 - the database's name
    vfdb = ventricular_runs.vfdb_answers(data, asked.engine, asked.block_s)
    mitdb = ventricular_runs.mitdb_answers(data, asked.engine, asked.block_s)
    challenge = ventricular_runs.challenge_answers(data, asked.engine, asked.block_s)
    events = [event for answer in (*vfdb, *mitdb) for event in _annotated(answer)]
    events += made_events.stopped_hearts(data, asked.engine, asked.block_s)
    events += made_events.leaping_rates(asked.engine, asked.block_s)
    strict = ventricular_tables.READINGS[0]
    with_some = [answer for answer in mitdb if any(span.label in CODES for span in answer.annotated)]
    parts = (
        Part("How each code counts", ventricular_tables.codes_table()),
        Part("vfdb by time", ventricular_tables.totals_table(vfdb)),
        Part("mitdb by time", ventricular_tables.totals_table(mitdb, [strict])),
        Part("Stated where nothing of the kind is annotated within 2 s, episodes",
             ventricular_tables.false_table([("mitdb", mitdb), ("challenge2017", challenge)])),
        Part("From the onset of an event of 10 s or more until it is stated", latencies.latencies_table(events)),
        Part("Events stated late", latencies.late_table(events), folded=True),
        Part("Each record, vfdb", ventricular_tables.records_table(vfdb, strict), folded=True),
        Part("Each record of mitdb that has some", ventricular_tables.records_table(with_some, strict), folded=True),
    )  # fmt: skip
    return Section("vfdb", made_by(asked), parts)


def _annotated(answer: VentricularAnswer) -> list[Latency]:
    """Fibrillation, flutter and tachycardia together, each alone, and asystole."""
    return [
        *latencies.latencies(answer, "VT, VFL or VF", CODES, LABELS_OF),
        *latencies.latencies(answer, "VFL or VF", {"VFL", "VF", "VFIB"}, LABELS_OF),
        *latencies.latencies(answer, "VT", {"VT"}, LABELS_OF),
        *latencies.latencies(answer, "asystole", {"ASYS"}, [rhythms.ASYSTOLE]),
    ]
