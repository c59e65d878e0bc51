"""What one core carries: the fast engine on many devices, neurokit2's window on one, in the same run."""

from __future__ import annotations

import argparse
import json
import sys
import time
from typing import Any
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from bench.windowed import WINDOW_S, window_cpu_s
from processors.ecg.engine import FastEngine
from schemas.samples import SampleBlock

RATE_HZ = 250
UV_PER_LSB = 5.0


def main() -> None:
    """Print one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--devices", type=int, default=2000)
    parser.add_argument("--seconds", type=int, default=30)
    parser.add_argument("--windows", type=int, default=20, help="windows neurokit2 is timed on")
    options = parser.parse_args()
    json.dump(measure(options.devices, options.seconds, options.windows), sys.stdout, indent=2)
    sys.stdout.write("\n")


def measure(devices: int, seconds: int, windows: int) -> dict[str, Any]:
    """Rates of one process; `cpu_s` is its CPU time, so other work on the machine does not count."""
    engine = FastEngine()
    ecg = synthetic_ecg(seconds + WINDOW_S)
    _run(engine, ecg, 1, 3)  # compiles, or loads from the cache
    cpu_s, dumped = _run(engine, ecg, devices, seconds)
    window_s = window_cpu_s(ecg[: WINDOW_S * RATE_HZ] * UV_PER_LSB / 1000, RATE_HZ, windows)
    samples = devices * seconds * RATE_HZ
    ours, theirs = devices * seconds / cpu_s, 1.0 / window_s
    return {
        "devices": devices,
        "seconds": seconds,
        "rate_hz": RATE_HZ,
        "samples_per_s": round(samples / cpu_s),
        "cpu_s": {"engine": round(cpu_s, 3), "neurokit2": round(window_s * windows, 3)},
        "engine_version": engine.version,
        "devices_per_core": round(ours),
        "neurokit2_devices_per_core": round(theirs, 1),
        "ratio": round(ours / theirs),
        "state_bytes_per_device": round(dumped / devices),
    }


def synthetic_ecg(seconds: int) -> NDArray[np.int16]:
    """An ECG-like signal: a P wave, a QRS complex and a T wave per beat at 72/min, with noise; the seed is fixed."""
    t = np.arange(seconds * RATE_HZ) / RATE_HZ
    phase = t % (60 / 72)
    wave = np.zeros(len(t))
    for centre_s, width_s, height_mv in (
        (0.20, 0.025, 0.15), (0.345, 0.010, -0.12), (0.365, 0.012, 1.1), (0.39, 0.010, -0.2), (0.60, 0.05, 0.3),
    ):  # fmt: skip
        wave += height_mv * np.exp(-0.5 * ((phase - centre_s) / width_s) ** 2)
    noise = np.random.default_rng(1).normal(0, 0.01, len(t)) + 0.2 * np.sin(2 * np.pi * 0.2 * t)
    return np.round((wave + noise) * 1000 / UV_PER_LSB).astype(np.int16)


def _run(engine: FastEngine, ecg: NDArray[np.int16], devices: int, seconds: int) -> tuple[float, int]:
    """CPU seconds to take one-second blocks of all devices, and the size of the state afterwards."""
    state = engine.new_state()
    ids = [UUID(int=i + 1) for i in range(devices)]
    cpu_s = 0.0
    for second in range(seconds):
        blocks = [_block(device_id, ecg, i, second) for i, device_id in enumerate(ids)]
        before = time.process_time()
        state = engine.step(blocks, state).state
        cpu_s += time.process_time() - before
    return cpu_s, len(engine.dump(state))


def _block(device_id: UUID, ecg: NDArray[np.int16], number: int, second: int) -> SampleBlock:
    """Devices run out of step with each other, so that they don't all beat in the same sample."""
    start = number % (WINDOW_S * RATE_HZ) + second * RATE_HZ
    return SampleBlock(
        device_id=device_id,
        recording_id=device_id,
        first_index=second * RATE_HZ,
        started_at_us=1_700_000_000_000_000 + second * 1_000_000,
        rate_hz=RATE_HZ,
        leads=("II",),
        uv_per_lsb=(UV_PER_LSB,),
        samples=ecg[np.newaxis, start : start + RATE_HZ],
    )


if __name__ == "__main__":
    main()
