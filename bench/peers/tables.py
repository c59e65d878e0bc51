"""The peers beside us, as sections of docs/accuracy.md."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from bench.accuracy.beat_runs import BeatRun
from bench.accuracy.beats import BeatTotal
from bench.accuracy.boundaries import PointTotal
from bench.accuracy.pages import Part, Section
from bench.accuracy.tables import figure, spread, table
from bench.accuracy.wave_runs import WaveRun
from bench.accuracy.wave_tables import NAMES
from bench.peers.contest import Entry

_BEAT_GROUPS: Final = {
    "mitdb": ("all", "DS2"),
    "nstdb": ("6 dB", "0 dB", "6 dB, noisy minutes", "0 dB, noisy minutes"),
}


def beat_section(db: str, command: str, entries: Sequence[Entry], runs: Sequence[BeatRun]) -> Section:
    """A table for each group of records, the best first; then who failed where. One run for each entry."""
    parts = []
    for group in _BEAT_GROUPS[db]:
        totals = [total for run in runs for total in run.totals() if total.name == group]
        if totals:  # one of each entry, since all ran over the same records
            parts.append(Part(f"Lead 0, {group}", beat_table(entries, totals)))
    return Section(f"peers-{db}", _made_by(command, entries), (*parts, *_failures(entries)))


def wave_section(db: str, command: str, entries: Sequence[Entry], runs: Sequence[Sequence[WaveRun]]) -> Section:
    """Boundaries, a table for each protocol: of each the runs, one for each entry."""
    parts = [Part(f"{held[0].name}, all records", _wave_table(entries, held)) for held in runs]
    return Section(f"peers-{db}", _made_by(command, entries), (*parts, *_failures(entries)))


def beat_table(entries: Sequence[Entry], totals: Sequence[BeatTotal]) -> str:
    """The best first, by F1; one total for each entry."""
    counts = ("Se %", "PPV %", "false", "missed")
    headings = ("", *counts, "mean Se %", "mean PPV %", "offset ms", "sd ms", "samples/s", "failed")
    best_first = sorted(zip(entries, totals, strict=True), key=lambda both: -_quality(both[1]))
    return table(headings, [_beat_cells(entry, total) for entry, total in best_first])


def entry_json(entry: Entry) -> dict[str, Any]:
    return {
        "name": entry.name,
        "version": entry.version,
        "samples_per_s": round(entry.samples_per_s),
        "failed": entry.failed,
    }


def _quality(total: BeatTotal) -> float:
    """F1, the harmonic mean of both rates."""
    return 2 * total.gross.found / max(1, 2 * total.gross.found + total.gross.false + total.gross.missed)


def _beat_cells(entry: Entry, total: BeatTotal) -> tuple[str, ...]:
    gross = total.gross
    return (
        entry.name,
        figure(gross.sensitivity, 2),
        figure(gross.predictivity, 2),
        str(gross.false),
        str(gross.missed),
        figure(total.mean_sensitivity, 2),
        figure(total.mean_predictivity, 2),
        figure(gross.offset_ms, 1),
        figure(gross.offset_sd_ms, 1),
        f"{entry.samples_per_s:,.0f}",
        str(len(entry.failed) or ""),
    )


def _wave_table(entries: Sequence[Entry], runs: Sequence[WaveRun]) -> str:
    """Found in percent, and mean ± sd over all beats, of each point."""
    totals = [{total.point: total for total in run.totals("all")} for run in runs]
    rows = [(NAMES[point], *(_wave_cell(held[point]) for held in totals)) for point in NAMES]
    speeds = ("samples/s", *(f"{entry.samples_per_s:,.0f}" for entry in entries))
    return table(("found %: error ms", *(entry.name for entry in entries)), [*rows, speeds])


def _wave_cell(total: PointTotal) -> str:
    return f"{total.found:.1f}: {spread(total.mean_ms, total.sd_ms)}" if total.mean_ms is not None else ""


def _failures(entries: Sequence[Entry]) -> list[Part]:
    rows = [
        (entry.name, record, reason.replace("|", "/"))
        for entry in entries
        for record, reason in sorted(entry.failed.items())
    ]
    title = "Failed, and scored as having found nothing there"
    return [Part(title, table(("", "record", "why"), rows, words=3), folded=True)] if rows else []


def _made_by(command: str, entries: Sequence[Entry]) -> str:
    versions = {f"{entry.name.split()[0]} {entry.version}": None for entry in entries}
    return f"`{command}`: {', '.join(versions)}"
