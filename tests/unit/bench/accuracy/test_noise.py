from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bench.accuracy.noise import noise_gains, noisy_stretches, with_noise
from bench.accuracy.records import Record, read_record
from bench.accuracy.references import Positions, read_reference
from tests.unit.bench.accuracy.signals import record_of

RATE_HZ = 100.0


@pytest.fixture
def ecg() -> Record:
    """Ten minutes with a spike of 1,000 µV every second."""
    lead = np.zeros(60_000)
    lead[50::100] = 1000.0
    return record_of(RATE_HZ, lead, lead / 2)


@pytest.fixture
def beats() -> Positions:
    return np.arange(50, 60_000, 100)


@pytest.fixture
def noise() -> Record:
    return record_of(RATE_HZ, np.random.default_rng(1).normal(0, 200, 50_000))


def test_the_signal_is_as_much_stronger_than_the_noise_as_asked(ecg: Record, beats: Positions, noise: Record) -> None:
    gains = noise_gains(ecg, beats, noise, snr_db=6.0)
    power, level_mv = 1.0**2 / 8, noise.mv.std()
    assert 10 * np.log10(power / (gains[0] * level_mv) ** 2) == pytest.approx(6.0, abs=0.2)
    assert gains[1] == pytest.approx(gains[0] / 2, rel=0.01)


def test_noise_comes_after_five_minutes_and_for_two_of_every_four(ecg: Record, beats: Positions, noise: Record) -> None:
    added = with_noise(ecg, beats, noise, 0.0).samples.astype(int) - ecg.samples
    moves = np.abs(np.diff(added[0])).reshape(-1, 1)[:59_900].reshape(-1, 100).any(axis=1)
    assert [bool(moves[s]) for s in (0, 298, 300, 418, 421, 538, 541, 597)] == [
        False,
        False,
        *[True] * 2,
        *[False] * 2,
        True,
        True,
    ]
    assert [(s.begin, s.end) for s in noisy_stretches(ecg)] == [(30_000, 42_000), (54_000, 60_000)]


def test_no_step_is_left_where_noise_begins_and_ends(ecg: Record, beats: Positions) -> None:
    offset = record_of(RATE_HZ, np.tile([700.0, 900.0], 30_000))
    added = with_noise(ecg, beats, offset, 6.0).samples.astype(int) - ecg.samples
    assert abs(added[0, 30_000] - added[0, 29_999]) <= 1
    assert abs(added[0, 42_000] - added[0, 41_999]) <= 1


@pytest.mark.data
@pytest.mark.parametrize("name", ["118e06", "118e00", "119e06", "119e00"])
def test_the_noise_is_that_of_the_noise_stress_database(recordings: Path, name: str) -> None:
    clean = recordings / "mitdb" / name[:3]
    record, em = read_record(clean), read_record(recordings / "nstdb" / "em")
    made = with_noise(record, read_reference(clean).normal, em, float(name[-1]))
    given = read_record(recordings / "nstdb" / name)
    for lead in (0, 1):
        ours, theirs = (np.diff(x.samples[lead, :-1].astype(int) - record.samples[lead, :-1]) for x in (made, given))
        assert np.polyfit(theirs, ours, 1)[0] == pytest.approx(1.0, abs=0.01)
        assert np.corrcoef(ours, theirs)[0, 1] > 0.995
