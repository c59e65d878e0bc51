"""What the engine shows the network, second by second, when a record is streamed to it."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from bench.accuracy.records import DEVICE, Record, blocks
from processors.ecg.engine import FastEngine
from processors.ecg.state import VENTRICULAR_TRAITS
from processors.ecg.ventricular_odds import INPUTS, see_beats, see_signal


@dataclass(frozen=True, slots=True)
class Shown:
    """float32 (seconds, INPUTS), and which seconds the engine calls calm and doesn't put to the network."""

    inputs: NDArray[np.float32]
    calm: NDArray[np.bool_]


@njit(error_model="numpy")
def _inputs(device: Any, end_u: int, out: Any) -> None:
    see_beats(device, end_u, out)
    see_signal(device.ventricular_fast, 0, out)
    see_signal(device.ventricular_slow, VENTRICULAR_TRAITS, out)


def shown(record: Record) -> Shown:
    """Inputs at the end of each whole second, with the beats of the seconds before it."""
    chosen = FastEngine()
    state = chosen.new_state()
    seconds = int(record.count / record.rate_hz)
    inputs = np.zeros((seconds, INPUTS), np.float32)
    calm = np.ones(seconds, np.bool_)
    done = 0
    for second in range(seconds):
        end = ceil((second + 1) * record.rate_hz)
        piece = next(blocks(record.excerpt(done, end), 2.0))
        step = chosen.step([_placed(piece, done, record.rate_hz)], state)
        state = step.state
        device = state.devices[state.held[DEVICE].slot].copy()
        if device["ventricular_seen"] > 0:
            calm[second] = False
            _inputs(device, ceil(second * record.rate_hz) // int(device["divisor"]), inputs[second])
        done = end
    return Shown(inputs, calm)


def _placed(block: Any, first: int, rate_hz: float) -> Any:
    """The block as the one that begins at `first`."""
    return type(block)(
        device_id=block.device_id, recording_id=block.recording_id, first_index=first,
        started_at_us=round(first * 1_000_000 / rate_hz), rate_hz=rate_hz, leads=block.leads,
        uv_per_lsb=block.uv_per_lsb, samples=block.samples,
    )  # fmt: skip
