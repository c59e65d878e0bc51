"""Boundary scores as tables and as JSON."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, Final

from bench.accuracy.boundaries import PUBLISHED, PointScore, PointTotal
from bench.accuracy.splits import groups
from bench.accuracy.tables import figure, spread, table
from bench.accuracy.wave_runs import WaveRun
from bench.accuracy.waves import POINTS

NAMES: Final = {
    "p_onset": "P onset", "p_peak": "P peak", "p_offset": "P end", "qrs_onset": "QRS onset", "qrs_offset": "QRS end",
    "t_onset": "T onset", "t_peak": "T peak", "t_offset": "T end",
}  # fmt: skip


def totals_table(run: WaveRun, group: str) -> str:
    """A row for each point of one group of records, beside what is published."""
    headings = (
        "point",
        "n",
        "found %",
        "≤150 ms %",
        "error ms",
        "per record ms",
        "Martinez ms",
        "CSE 2 sd",
        "unasked",
    )
    return table(headings, [_total_cells(total) for total in run.totals(group)])


def records_table(run: WaveRun) -> str:
    """A row for each record: mean ± sd of each point, and how many were annotated and not found."""
    rows = [
        (record.name, str(record.beats), *(_record_cell(s) for s in record.points), str(sum(map(_lost, record.points))))
        for record in run.records
    ]
    return table(("record", "beats", *(NAMES[p] for p in POINTS), "not found"), rows)


def run_json(run: WaveRun) -> dict[str, Any]:
    return {
        "run": run.name,
        "records": [
            {"record": record.name, "beats": record.beats, **{s.point: _plain(s) for s in record.points}}
            for record in run.records
        ],
        "totals": {
            group.name: [_rounded(asdict(total)) for total in run.totals(group.name)]
            for group in groups(run.db.name, run.db.every)
        },
    }


def _total_cells(total: PointTotal) -> tuple[str, ...]:
    known = PUBLISHED[total.point]
    return (
        NAMES[total.point],
        str(total.annotated),
        figure(total.found, 2),
        figure(total.near, 2),
        spread(total.mean_ms, total.sd_ms),
        spread(total.record_mean_ms, total.record_sd_ms),
        spread(known.mean_ms, known.sd_ms),
        figure(known.tolerance_ms, 1),
        f"{total.unasked}/{total.unannotated}",
    )


def _record_cell(score: PointScore) -> str:
    return spread(float(score.errors_ms.mean()), float(score.errors_ms.std())) if score.found else ""


def _lost(score: PointScore) -> int:
    return score.annotated - score.found


def _plain(score: PointScore) -> dict[str, Any]:
    found = score.found > 0
    return _rounded(
        {
            "annotated": score.annotated,
            "found": score.found,
            "unasked": score.unasked,
            "mean_ms": float(score.errors_ms.mean()) if found else None,
            "sd_ms": float(score.errors_ms.std()) if found else None,
        }
    )


def _rounded(figures: dict[str, Any]) -> dict[str, Any]:
    return {name: round(value, 2) if isinstance(value, float) else value for name, value in figures.items()}
