"""Virtual patients are the same for the same seed, and their rhythms are what they are called."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from uuid import UUID

import numpy as np
import pytest
from numpy.typing import NDArray

from ingest.simulation.strips import RHYTHMS, Rhythm, Strip, make_bank
from ingest.simulator import VirtualPatient, make_patients
from ingest.sources import Take
from schemas.errors import Malformed
from schemas.samples import check_block

Bank = Mapping[Rhythm, tuple[Strip, ...]]
TAKE = Take(UUID(int=1), UUID(int=2), 0)


@pytest.fixture(scope="module")
def bank() -> Bank:
    return make_bank(strip_s=60, variants=2, leads=("I", "II", "III"))


def _patient(bank: Bank, rhythm: Rhythm) -> VirtualPatient:
    [patient] = make_patients(1, bank, rhythms=[rhythm])
    return patient


def _rr_s(bank: Bank, rhythm: Rhythm) -> NDArray[np.float64]:
    patient = _patient(bank, rhythm)
    return np.diff(patient.r_indices(0, patient.strip.count)) / patient.rate_hz


def test_the_same_seed_gives_the_same_patients(bank: Bank) -> None:
    again = make_bank(strip_s=60, variants=2, leads=("I", "II", "III"))
    for one, other in zip(make_patients(9, bank, seed=3), make_patients(9, again, seed=3), strict=True):
        assert (one.name, one.offset) == (other.name, other.offset)
        assert np.array_equal(one.samples(0, 5000), other.samples(0, 5000))


def test_another_seed_gives_others(bank: Bank) -> None:
    offsets = [[p.offset for p in make_patients(9, bank, seed=seed)] for seed in (1, 2)]
    assert offsets[0] != offsets[1]


def test_rhythms_come_in_turn(bank: Bank) -> None:
    assert [patient.rhythm for patient in make_patients(20, bank)] == [*RHYTHMS, *RHYTHMS, *RHYTHMS[:2]]


def test_blocks_are_the_heart_from_any_index(bank: Bank) -> None:
    patient = _patient(bank, "normal")
    blocks = list(itertools.islice(patient.blocks(TAKE, block_s=0.5, first_index=125), 300))
    for one in blocks:
        check_block(one)
    played = np.concatenate([one.samples for one in blocks], axis=1)
    assert np.array_equal(played, patient.samples(125, 125 + played.shape[1]))


@pytest.mark.parametrize("rhythm", [name for name in RHYTHMS if name != "noise"])
def test_r_peaks_are_where_they_are_said_to_be(bank: Bank, rhythm: Rhythm) -> None:
    patient = _patient(bank, rhythm)
    lead_ii = patient.samples(0, 30_000)[1].astype(int)  # twice round the strip, its seam included
    for r_index in patient.r_indices(50, 29_950):
        around = lead_ii[r_index - 10 : r_index + 11]
        assert abs(int(np.argmax(around)) - 10) <= 2
        assert around.max() * 2.5 > 900


def test_rates_are_what_they_are_called(bank: Bank) -> None:
    assert _rr_s(bank, "bradycardia").mean() > 1.1
    assert _rr_s(bank, "tachycardia").mean() < 0.56
    assert 0.7 < _rr_s(bank, "normal").mean() < 1.0


def test_only_fibrillation_is_irregular_all_the_time(bank: Bank) -> None:
    assert np.std(_rr_s(bank, "atrial_fibrillation")) / np.mean(_rr_s(bank, "atrial_fibrillation")) > 0.15
    assert np.std(_rr_s(bank, "normal")) / np.mean(_rr_s(bank, "normal")) < 0.06


def test_a_pause_is_over_two_and_a_half_seconds(bank: Bank) -> None:
    assert 2.5 < _rr_s(bank, "pause").max() < 4


def test_ventricular_beats_are_early_wide_and_compensated(bank: Bank) -> None:
    strip = _patient(bank, "pvc").strip
    rr_s = np.diff(strip.r_indices) / strip.rate_hz
    wide = np.flatnonzero(strip.wide[1:-1]) + 1
    assert len(wide) >= 5
    assert np.all(rr_s[wide - 1] < 0.75 * np.median(rr_s))
    assert np.all(rr_s[wide] > 1.25 * np.median(rr_s))


def test_limb_leads_obey_einthoven(bank: Bank) -> None:
    lead_i, lead_ii, lead_iii = _patient(bank, "normal").samples(0, 5000).astype(int)
    # The same noise lies on every lead, so it does not cancel: II - I - III is minus one share of it.
    assert np.abs(lead_ii - lead_i - lead_iii).max() * 2.5 < 150


def test_gaps_are_blocks_that_never_come(bank: Bank) -> None:
    patient = _patient(bank, "gap")
    firsts = [one.first_index for one in itertools.islice(patient.blocks(TAKE), 34)]
    assert firsts == [250 * n for n in range(40) if n % 20 < 17]


def test_noise_hides_the_heart_half_of_the_time(bank: Bank) -> None:
    parts = _patient(bank, "noise").strip.samples[1, : 4 * 3750].reshape(4, -1)
    loud = np.abs(np.diff(parts.astype(int), axis=1)).mean(axis=1) > 100
    assert loud.tolist() == [False, True, False, True]


def test_what_can_not_be_simulated_is_said(bank: Bank) -> None:
    with pytest.raises(Malformed, match="choose from normal"):
        make_patients(1, bank, rhythms=["flutter"])  # type: ignore[list-item]  # what a command line may bring
    with pytest.raises(Malformed, match="choose from I, II"):
        make_bank(leads=["X"])
    with pytest.raises(Malformed, match="the bank holds no pvc"):
        make_patients(1, {"normal": bank["normal"]}, rhythms=["pvc"])
