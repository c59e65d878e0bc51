"""In the product's own environment, which has wfdb among the peers."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from bench.accuracy.matching import pairs
from bench.accuracy.records import Record
from bench.peers import subprocesses
from bench.peers.subprocesses import PeerProcess, hand_over
from tests.unit.bench.accuracy.signals import record_of
from tests.unit.processors.ecg.signals import UV_PER_LSB, ecg, regular

BEATS_S = regular(70, 30)


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subprocesses, "PYTHON", Path(sys.executable))


@pytest.fixture
def xqrs(here: None) -> Iterator[PeerProcess]:
    with PeerProcess("wfdb xqrs") as process:
        yield process


def record() -> Record:
    lead = ecg(BEATS_S, 30) * UV_PER_LSB
    return record_of(250.0, np.zeros(len(lead)), lead)


def test_a_peer_finds_the_beats_of_the_lead_it_is_given(xqrs: PeerProcess, tmp_path: Path) -> None:
    told = xqrs.ask(hand_over(record(), tmp_path), lead=1)
    found = np.array(told["columns"]["r_index"])
    assert told["error"] is None
    assert len(pairs(np.round(BEATS_S * 250).astype(np.int64), found, 37.5).found) >= len(BEATS_S) - 2


def test_a_peer_that_raises_found_nothing_and_says_why(xqrs: PeerProcess, tmp_path: Path) -> None:
    told = xqrs.ask(hand_over(record_of(250.0, np.empty(0)), tmp_path), lead=0)
    assert told["columns"] == {"r_index": []}
    assert told["error"]


def test_a_peer_that_dies_found_nothing_and_goes_on(xqrs: PeerProcess, tmp_path: Path) -> None:
    gone = xqrs.ask(tmp_path / "nowhere.npz", lead=0)
    assert "died" in gone["error"]
    assert xqrs.ask(hand_over(record(), tmp_path), lead=1)["error"] is None


def test_an_environment_without_the_peer_is_told_of_with_the_remedy(here: None) -> None:
    with pytest.raises(RuntimeError, match="make peers"), PeerProcess("sleepecg"):
        pass
