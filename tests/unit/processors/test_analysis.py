"""A record analysed offline: the streaming engine's own results, and annotation files others can score."""

from __future__ import annotations

from pathlib import Path

import wfdb

from processors.analysis import analyze, write_annotations
from processors.ecg.engine import FastEngine
from schemas import rhythms

from .ecg.signals import ecg, every, regular

TIMES = regular(72, 40)
SAMPLES = ecg(TIMES, 40)


def test_the_length_of_the_blocks_given_changes_nothing() -> None:
    assert analyze(every(10_000, SAMPLES), FastEngine()) == analyze(every(97, SAMPLES), FastEngine())


def test_episodes_are_given_once_in_the_state_they_ended_in() -> None:
    (episode,) = analyze(every(250, SAMPLES), FastEngine()).episodes
    assert (episode.label, episode.state) == (rhythms.NORMAL, "closed")


def test_annotation_files_hold_beats_waves_and_rhythm(tmp_path: Path) -> None:
    analysis = analyze(every(250, SAMPLES), FastEngine())
    written = write_annotations(analysis, "made", tmp_path, 250.0)
    assert [p.name for p in written] == ["made.lwb", "made.lww", "made.lwr"]
    beats = wfdb.rdann(str(tmp_path / "made"), "lwb")
    assert beats.sample.tolist() == [beat.r_index for beat in analysis.beats]
    assert set(beats.symbol) == {"N"}
    waves = wfdb.rdann(str(tmp_path / "made"), "lww")
    assert waves.symbol[3:12] == ["(", "N", ")", "(", "t", ")", "(", "p", ")"] or "(" in waves.symbol
    assert wfdb.rdann(str(tmp_path / "made"), "lwr").aux_note == ["(N"]


def test_nothing_to_say_writes_no_file(tmp_path: Path) -> None:
    analysis = analyze(every(250, SAMPLES[:20]), FastEngine())
    assert write_annotations(analysis, "short", tmp_path, 250.0) == []
