"""Beat scores as tables and as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from bench.accuracy.beat_runs import BeatRun
from bench.accuracy.beats import BeatScore, BeatTotal
from bench.accuracy.tables import figure, table

_SCORED: Final = ("beats", "false", "missed", "Se %", "PPV %", "offset ms", "sd ms")


def totals_table(runs: Sequence[BeatRun]) -> str:
    """A row for each run and group of records."""
    headings = ("run", "records", "number", *_SCORED, "mean Se %", "mean PPV %")
    return table(headings, [_total_cells(run.name, total) for run in runs for total in run.totals()], words=2)


def records_table(run: BeatRun) -> str:
    """A row for each record."""
    return table(("record", *_SCORED), [(score.name, *_cells(score)) for score in run.scores])


def noisy_table(run: BeatRun) -> str:
    """A row for each record, of the minutes with noise only."""
    return table(("record", *_SCORED), [(score.name, *_cells(score)) for score in run.noisy])


def run_json(run: BeatRun) -> dict[str, Any]:
    return {
        "run": run.name,
        "records": [_plain(score) for score in run.scores],
        "noisy_minutes": [_plain(score) for score in run.noisy],
        "totals": [
            {
                **_plain(total.gross),
                "records": total.records,
                "mean_sensitivity": round(total.mean_sensitivity, 3),
                "mean_predictivity": round(total.mean_predictivity, 3),
            }
            for total in run.totals()
        ],
    }


def _cells(score: BeatScore) -> tuple[str, ...]:
    counts = (str(score.beats), str(score.false), str(score.missed))
    rates = (figure(score.sensitivity, 3), figure(score.predictivity, 3))
    return (*counts, *rates, figure(score.offset_ms, 1), figure(score.offset_sd_ms, 1))


def _total_cells(run: str, total: BeatTotal) -> tuple[str, ...]:
    means = (figure(total.mean_sensitivity, 3), figure(total.mean_predictivity, 3))
    return (run, total.name, str(total.records), *_cells(total.gross), *means)


def _plain(score: BeatScore) -> dict[str, Any]:
    return {
        "record": score.name,
        "found": score.found,
        "false": score.false,
        "missed": score.missed,
        "sensitivity": round(score.sensitivity, 3),
        "predictivity": round(score.predictivity, 3),
        "offset_ms": None if score.offset_ms is None else round(score.offset_ms, 2),
        "offset_sd_ms": None if score.offset_sd_ms is None else round(score.offset_sd_ms, 2),
    }
