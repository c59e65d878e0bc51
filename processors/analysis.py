"""One record through an engine as a worker would run it, and what came out as WFDB annotation files."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from itertools import chain
from pathlib import Path
from typing import Any, Final

import numpy as np
import wfdb

from processors import rows
from processors.ecg.interface import Engine
from processors.timeline import spans
from schemas.beats import Beat
from schemas.metrics import Metrics
from schemas.results import Results
from schemas.rhythms import RhythmEpisode
from schemas.samples import SampleBlock

BLOCK_S: Final = 1.0


@dataclass(frozen=True, slots=True)
class Analysis:
    """All that an engine says of one record; episodes in the state they ended in."""

    engine_version: str
    beats: list[Beat] = field(default_factory=list)
    metrics: list[Metrics] = field(default_factory=list)
    episodes: list[RhythmEpisode] = field(default_factory=list)


def analyze(blocks: Iterable[SampleBlock], engine: Engine[Any]) -> Analysis:
    """Run the blocks of one device through the streaming engine, a second at a time, then close.

    Blocks may be of any length; they are cut to 1 s as devices send them (which changes nothing in the results).
    """
    analysis = Analysis(engine.version)
    stated: list[RhythmEpisode] = []
    state = engine.new_state()
    devices = []
    for block in chain.from_iterable(map(_seconds, blocks)):
        step = engine.step([block], state)
        state = step.state
        _collect(step.results, analysis, stated)
        if block.device_id not in devices:
            devices.append(block.device_id)
    _collect(engine.close(devices, state).results, analysis, stated)
    analysis.episodes.extend({_identity(e): e for e in stated}.values())
    return analysis


def write_annotations(analysis: Analysis, record_name: str, out_dir: Path, rate_hz: float) -> list[Path]:
    """Write RECORD.lwb (beats), .lww (waveform boundaries) and .lwr (rhythm changes); returns the files written.

    A file nothing can be said in is left out, because WFDB has no empty annotation file.
    """
    out_dir.mkdir(parents=True, exist_ok=True)
    written = []
    for extension, marks in (
        ("lwb", _beat_marks(analysis)),
        ("lww", _wave_marks(analysis)),
        ("lwr", _rhythm_marks(analysis, rate_hz)),
    ):
        if marks:
            _write(record_name, extension, marks, out_dir, rate_hz)
            written.append(out_dir / f"{record_name}.{extension}")
    return written


@dataclass(frozen=True, slots=True)
class _Mark:
    index: int
    symbol: str
    number: int = 0
    note: str = ""


def _seconds(block: SampleBlock) -> Iterable[SampleBlock]:
    size = max(1, round(block.rate_hz * BLOCK_S))
    started_at_us = block.recording_started_at_us
    for at in range(0, block.count, size):
        first = block.first_index + at
        yield replace(
            block,
            first_index=first,
            started_at_us=started_at_us + round(first * 1_000_000 / block.rate_hz),
            samples=block.samples[:, at : at + size],
        )


def _collect(results: Results, analysis: Analysis, stated: list[RhythmEpisode]) -> None:
    analysis.beats.extend(rows.beats(results))
    analysis.metrics.extend(rows.metrics(results))
    stated.extend(rows.episodes(results))


def _identity(episode: RhythmEpisode) -> tuple[object, ...]:
    return episode.recording_id, episode.first_r_index, episode.label


def _beat_marks(analysis: Analysis) -> list[_Mark]:
    return [_Mark(beat.r_index, beat.beat_class) for beat in analysis.beats]


def _wave_marks(analysis: Analysis) -> list[_Mark]:
    """As in QTDB: an opening bracket, the wave's peak, a closing bracket; `number` is 0 for P, 1 for QRS, 2 for T."""
    marks = []
    for beat in analysis.beats:
        f = beat.fiducials
        for number, symbol, onset, peak, offset in (
            (0, "p", f.p_onset, f.p_peak, f.p_offset),
            (1, "N", f.qrs_onset, beat.r_index, f.qrs_offset),
            (2, "t", f.t_onset, f.t_peak, f.t_offset),
        ):
            for index, sign in ((onset, "("), (peak, symbol), (offset, ")")):
                if index is not None:
                    marks.append(_Mark(index, sign, number))
    return sorted(marks, key=lambda mark: mark.index)


def _rhythm_marks(analysis: Analysis, rate_hz: float) -> list[_Mark]:
    """A `+` wherever the rhythm changes."""
    return [_Mark(span.first, "+", 0, span.code) for span in spans(analysis.episodes, rate_hz)]


def _write(record_name: str, extension: str, marks: list[_Mark], out_dir: Path, rate_hz: float) -> None:
    wfdb.wrann(
        record_name,
        extension,
        np.array([mark.index for mark in marks]),
        symbol=[mark.symbol for mark in marks],
        num=np.array([mark.number for mark in marks]),
        aux_note=[mark.note for mark in marks],
        fs=rate_hz,
        write_dir=str(out_dir),
    )
