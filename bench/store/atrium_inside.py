"""The program that runs in the peers' environment: AtriumDB over the same samples and windows, one JSON object out."""

from __future__ import annotations

import json
import shutil
import sys
import time
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

_NS: Final = 1_000_000_000
_LIVE_RECORDS: Final = 4
"""It takes a second for a million samples."""


@dataclass(frozen=True, slots=True)
class _Held:
    """One record and the ids that AtriumDB gave it."""

    samples: NDArray[np.int16]
    rate_hz: float
    device: int
    measures: tuple[int, ...]


def main(folder: Path) -> None:
    """FOLDER has corpus.npz and windows.npy (record, first, end); what is made there is removed again.

    As AtriumDB's own pages have it: a signal of its own for each lead, each record one segment, blocks of its default
    131,072 values, metadata in SQLite; of the first few records also the live pattern, by its write_buffer.
    """
    with np.load(folder / "corpus.npz") as held:
        records = [held[f"samples_{number}"] for number in range(len(held["rates_hz"]))]
        rates = held["rates_hz"].tolist()
    chosen = np.load(folder / "windows.npy").tolist()
    told = {"version": version("atriumdb"), **_whole(folder / "whole", records, rates, chosen)}
    told["live"] = _live(folder / "live", records[:_LIVE_RECORDS], rates[:_LIVE_RECORDS])
    print(json.dumps(told))


def _whole(
    folder: Path, records: list[NDArray[np.int16]], rates: list[float], chosen: list[list[int]]
) -> dict[str, Any]:
    sdk, held = _dataset(folder, records, rates)
    wall_s, cpu_s = time.perf_counter(), time.process_time()
    for each in held:
        for measure, lead in zip(each.measures, each.samples, strict=True):
            sdk.write_segment(measure, each.device, lead.astype(np.int64), 0, freq=each.rate_hz)
    wrote_s, wrote_cpu_s = time.perf_counter() - wall_s, time.process_time() - cpu_s
    samples = sum(each.samples.size for each in held)
    size = _size(folder)
    windows = _windows(sdk, held, chosen)
    read_s, read_cpu_s, same = 0.0, 0.0, True
    for each in held:
        wall_s, cpu_s = time.perf_counter(), time.process_time()
        found = _read(sdk, each, 0, each.samples.shape[1])
        read_s, read_cpu_s = read_s + time.perf_counter() - wall_s, read_cpu_s + time.process_time() - cpu_s
        same = same and np.array_equal(found, each.samples)
    shutil.rmtree(folder)
    return {
        "bits_per_sample": round(8 * size / samples, 3),
        "write_m_samples_per_s": _rate(samples, wrote_s),
        "write_m_samples_per_core_s": _rate(samples, wrote_cpu_s),
        "windows": windows,
        "bulk_m_samples_per_s": _rate(samples, read_s),
        "bulk_m_samples_per_core_s": _rate(samples, read_cpu_s),
        "same": same,
    }


def _live(folder: Path, records: list[NDArray[np.int16]], rates: list[float]) -> dict[str, Any]:
    """Stretches of 10 s of all records by turns, through its buffer."""
    sdk, held = _dataset(folder, records, rates)
    started_s, cpu_s = time.perf_counter(), time.process_time()
    with sdk.write_buffer():
        longest = max(-(-each.samples.shape[1] // round(10 * each.rate_hz)) for each in held)
        for step in range(longest):
            for each in held:
                size = round(10 * each.rate_hz)
                part = each.samples[:, step * size : (step + 1) * size]
                at_ns = round(step * size * _NS / each.rate_hz)
                for measure, lead in zip(each.measures, part, strict=True):
                    if lead.size:
                        sdk.write_segment(measure, each.device, lead.astype(np.int64), at_ns, freq=each.rate_hz)
    spent_s, cpu_s = time.perf_counter() - started_s, time.process_time() - cpu_s
    samples = sum(each.samples.size for each in held)
    size = _size(folder)
    shutil.rmtree(folder)
    return {
        "bits_per_sample": round(8 * size / samples, 3),
        "write_m_samples_per_s": _rate(samples, spent_s),
        "write_m_samples_per_core_s": _rate(samples, cpu_s),
    }


def _dataset(folder: Path, records: list[NDArray[np.int16]], rates: list[float]) -> tuple[Any, list[_Held]]:
    from atriumdb import AtriumSDK  # noqa: PLC0415  # it is in the peers' environment alone

    sdk = AtriumSDK.create_dataset(dataset_location=folder, database_type="sqlite")
    held = []
    for number, (samples, rate_hz) in enumerate(zip(records, rates, strict=True)):
        device = sdk.insert_device(device_tag=f"record-{number}")
        measures = tuple(
            sdk.insert_measure(measure_tag=f"lead-{lead}", freq=rate_hz, freq_units="Hz", units="mV")
            for lead in range(len(samples))
        )
        held.append(_Held(samples, rate_hz, device, measures))
    return sdk, held


def _windows(sdk: Any, held: list[_Held], chosen: list[list[int]]) -> dict[str, Any]:
    taken_s = []
    for number, first, end in chosen:
        started_s = time.perf_counter()
        samples = _read(sdk, held[number], first, end)
        taken_s.append(time.perf_counter() - started_s)
        if not np.array_equal(samples, held[number].samples[:, first:end]):
            raise ValueError(f"record {number} [{first}, {end}) came back changed")
    p50, p99 = np.percentile(np.array(taken_s) * 1000, [50, 99])
    return {"count": len(taken_s), "p50_ms": round(float(p50), 3), "p99_ms": round(float(p99), 3)}


def _read(sdk: Any, held: _Held, first: int, end: int) -> NDArray[np.int64]:
    """All leads; half a sample before each end, so that rounded moments fall inside."""
    start_ns = round((first - 0.5) * _NS / held.rate_hz)
    end_ns = round((end - 0.5) * _NS / held.rate_hz)
    leads = []
    for measure in held.measures:
        _, _, values = sdk.get_data(measure, max(0, start_ns), end_ns, device_id=held.device, analog=False)
        leads.append(values)
    return np.stack(leads)


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _rate(samples: int, seconds: float) -> float:
    return round(samples / 1e6 / max(seconds, 1e-9), 2)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
