"""When an event counts as stated, and how long after its onset."""

from __future__ import annotations

from math import inf

from bench.accuracy.latencies import first_told, latencies, latencies_table
from bench.accuracy.spans import Span
from bench.accuracy.ventricular_runs import Told, VentricularAnswer

VF = "Ventricular Fibrillation"


def answer(*told: Told) -> VentricularAnswer:
    """Flutter and then fibrillation from 20 s to 50 s, tachycardia of 5 s at 60 s, told so."""
    spans = (Span(5000, 7500, "VFL"), Span(7500, 12500, "VF"), Span(15000, 16250, "VT"))
    return VentricularAnswer("x", "all", 250.0, 25000, spans, (), told)


def test_touching_stretches_are_one_event_and_short_ones_are_none() -> None:
    events = latencies(answer(Told(VF, 24.0, 50.0)), "any", {"VT", "VF", "VFL"}, [VF])
    assert [(event.onset_s, event.after_s) for event in events] == [(20.0, 4.0)]


def test_a_label_that_was_there_before_is_stated_at_once() -> None:
    assert first_told([Told(VF, 10.0, 30.0)], [VF], 20.0, 50.0) == 0.0


def test_a_label_that_ended_before_the_onset_does_not_count() -> None:
    assert first_told([Told(VF, 10.0, 19.0)], [VF], 20.0, 50.0) == inf


def test_another_label_does_not_count() -> None:
    assert first_told([Told("Asystole", 21.0, 30.0)], [VF], 20.0, 50.0) == inf


def test_the_table_counts_what_came_late_and_what_never_came() -> None:
    events = [
        event
        for told in ((Told(VF, 24.0, 50.0),), (Told(VF, 35.0, 50.0),), ())
        for event in latencies(answer(*told), "any", {"VF", "VFL"}, [VF])
    ]
    cells = [cell.strip() for cell in latencies_table(events).splitlines()[2].split("|")]
    assert cells[3:9] == ["3", "1", "33.3", "15.0", "never", "1"]
