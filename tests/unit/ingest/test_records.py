"""Recordings come out of their files sample for sample."""

from __future__ import annotations

import os
from pathlib import Path
from uuid import UUID

import edfio
import numpy as np
import pytest
import wfdb
from numpy.typing import NDArray

from ingest.records import read_record
from ingest.sources import Take
from schemas.clock import index_to_us
from schemas.errors import Malformed, NotFound
from schemas.samples import MISSING

DATA = Path(os.environ.get("LEADWIRE_TEST_DATA", Path(__file__).parents[4] / "shared" / "data"))
TAKE = Take(UUID(int=1), UUID(int=2), 1_000_000)


def _write_wfdb(folder: Path, digital: NDArray[np.int64], fmt: str = "16", baseline: int = 0, unit: str = "mV") -> Path:
    leads = digital.shape[1]
    wfdb.wrsamp(
        "r", fs=250, units=[unit] * leads, sig_name=["II", "V1", "X"][:leads], d_signal=digital, fmt=[fmt] * leads,
        adc_gain=[200.0] * leads, baseline=[baseline] * leads, write_dir=str(folder),
    )  # fmt: skip
    return folder / "r"


@pytest.mark.parametrize("fmt", ["16", "212", "516", "24", "32", "80"])
def test_wfdb_is_exact_in_every_format(tmp_path: Path, fmt: str) -> None:
    digital = np.random.default_rng(1).integers(-120, 120, (500, 2))
    source = read_record(_write_wfdb(tmp_path, digital, fmt, baseline=10))
    assert (source.rate_hz, source.leads, source.uv_per_lsb, source.notes) == (250.0, ("II", "V1"), (5.0, 5.0), ())
    assert np.array_equal(source.samples, digital.T - 10)


@pytest.mark.parametrize("name", ["r", "r.hea", "r.dat"])
def test_a_wfdb_record_goes_by_any_of_its_names(tmp_path: Path, name: str) -> None:
    _write_wfdb(tmp_path, np.zeros((300, 1), dtype=np.int64))
    assert read_record(tmp_path / name).count == 300


def test_a_missing_wfdb_sample_is_missing(tmp_path: Path) -> None:
    digital = np.array([[1], [-2048], [3]] * 100)
    assert read_record(_write_wfdb(tmp_path, digital, "212")).samples[0, :3].tolist() == [1, MISSING, 3]


def test_what_is_no_voltage_is_left_out_or_refused(tmp_path: Path) -> None:
    with pytest.raises(Malformed, match="no ECG sample"):
        read_record(_write_wfdb(tmp_path, np.zeros((300, 1), dtype=np.int64), unit="mmHg"))


def test_a_damaged_wfdb_record_is_malformed(tmp_path: Path) -> None:
    path = _write_wfdb(tmp_path, np.zeros((300, 1), dtype=np.int64))
    path.with_suffix(".dat").write_bytes(b"short")
    with pytest.raises(Malformed, match="check its header and signal files"):
        read_record(path)


@pytest.mark.parametrize("name", ["nothing", "nothing.edf", "nothing.csv"])
def test_a_file_that_is_not_there_is_not_found(tmp_path: Path, name: str) -> None:
    with pytest.raises(NotFound, match="give"):
        read_record(tmp_path / name)


def _edf_signal(label: str, rate_hz: float = 250, unit: str = "uV") -> edfio.EdfSignal:
    digital = np.arange(int(rate_hz) * 2, dtype=np.int16) - 100
    return edfio.EdfSignal.from_digital(
        digital,
        rate_hz,
        label=label,
        physical_dimension=unit,
        physical_range=(-3200, 3200),
        digital_range=(-3200, 3200),
    )


def test_edf_is_exact(tmp_path: Path) -> None:
    edfio.Edf([_edf_signal("EKG II"), _edf_signal("V1"), _edf_signal("Resp", unit="a.u.")]).write(tmp_path / "r.edf")
    source = read_record(tmp_path / "r.edf")
    assert (source.leads, source.uv_per_lsb) == (("II", "V1"), (1.0, 1.0))
    assert source.samples[0].tolist() == list(range(-100, 400))
    assert source.notes == ("signal 'Resp' left out: 'a.u.' is no voltage",)


def test_edf_of_two_rates_is_refused(tmp_path: Path) -> None:
    edfio.Edf([_edf_signal("II"), _edf_signal("V1", 500)]).write(tmp_path / "r.edf")
    with pytest.raises(Malformed, match=r"\[250.0, 500.0\] Hz; give a file with one rate"):
        read_record(tmp_path / "r.edf")


def test_a_damaged_edf_is_malformed(tmp_path: Path) -> None:
    (tmp_path / "r.edf").write_bytes(b"0       " + b"x" * 300)
    with pytest.raises(Malformed, match="can't be read as EDF"):
        read_record(tmp_path / "r.edf")


def _csv(folder: Path, text: str) -> Path:
    path = folder / "r.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_csv_says_its_rate_and_units(tmp_path: Path) -> None:
    source = read_record(_csv(tmp_path, "# rate_hz: 500\nII,V1 (uV)\n0.012,-35\n,-33\n"))
    assert (source.rate_hz, source.leads, source.uv_per_lsb) == (500.0, ("II", "V1"), (1.0, 1.0))
    assert source.samples.tolist() == [[12, MISSING], [-35, -33]]


@pytest.mark.parametrize("header", ["time", "time_ms"])
def test_csv_can_tell_its_rate_by_time(tmp_path: Path, header: str) -> None:
    step = 0.004 if header == "time" else 4
    rows = "\n".join(f"{n * step:.3f},0" for n in range(300))
    source = read_record(_csv(tmp_path, f"{header},II\n{rows}\n"))
    assert (source.rate_hz, source.count, source.leads) == (250.0, 300, ("II",))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "is empty"),
        ("II\n1\n", "tells no rate"),
        ("# rate_hz: 250\nII,V1\n1\n", "line 3 has 1 values for 2 columns"),
        ("# rate_hz: 250\nII\nhigh\n", "line 3 has 'high'"),
        ("# rate_hz: 250\nII\n", "no ECG sample"),
        ("# rate_hz: 250\nII (mmHg)\n1\n", "is no voltage"),
        ("time,II\n0,1\n0.004,1\n0.5,1\n", "has jumps"),
        ("time,II\n0,1\n0,1\n", "does not go forward"),
        ("# rate_hz: 50\nII\n1\n", "resample it to 100 to 1000 Hz"),
    ],
)
def test_what_is_wrong_with_a_csv_is_said(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(Malformed, match=told):
        read_record(_csv(tmp_path, text))


def test_blocks_are_the_recording(tmp_path: Path) -> None:
    source = read_record(_write_wfdb(tmp_path, np.arange(1030).reshape(-1, 2)))
    blocks = list(source.blocks(TAKE, block_s=0.5))
    assert [block.count for block in blocks] == [125] * 4 + [15]
    assert np.array_equal(np.concatenate([block.samples for block in blocks], axis=1), source.samples)
    assert all(block.started_at_us == 1_000_000 + index_to_us(block.first_index, 250) for block in blocks)


def test_blocks_go_on_from_any_index(tmp_path: Path) -> None:
    source = read_record(_write_wfdb(tmp_path, np.arange(600).reshape(-1, 1)))
    assert [block.first_index for block in source.blocks(TAKE, first_index=250)] == [250, 500]


@pytest.mark.parametrize("block_s", [0, 0.039, 61])
def test_a_block_has_a_length_the_contract_allows(tmp_path: Path, block_s: float) -> None:
    source = read_record(_write_wfdb(tmp_path, np.arange(600).reshape(-1, 1)))
    with pytest.raises(Malformed, match=r"choose 0.04 to 60 seconds"):
        list(source.blocks(TAKE, block_s=block_s))


@pytest.mark.data
@pytest.mark.skipif(not DATA.is_dir(), reason="no recordings beside the repository; set LEADWIRE_TEST_DATA")
def test_mitdb_100_is_every_sample_of_both_leads() -> None:
    path = DATA / "mitdb" / "100"
    source = read_record(path)
    file = wfdb.rdrecord(str(path), physical=False)
    assert (source.leads, source.uv_per_lsb, source.count) == (("MLII", "V5"), (5.0, 5.0), 650_000)
    assert np.array_equal(source.samples.T, file.d_signal - 1024)
