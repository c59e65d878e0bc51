"""Beats through the engine's own kernels: steadied windows, and the inputs its networks see of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from processors.ecg.beats import READY_S, measure
from processors.ecg.positions import (
    P_INPUTS,
    P_PLACES,
    QRS_INPUTS,
    QRS_PLACES,
    QRS_REACH,
    T_INPUTS,
    T_PLACES,
    compress,
    next_qrs,
    see_p,
    see_qrs,
    see_t,
)
from processors.ecg.state import (
    ABSENT,
    BEAT_ROW,
    BEFORE,
    DEVICE,
    LEAD,
    MARKS,
    MEASURED,
    NEVER,
    QRS_OFFSET,
    QRS_ONSET,
    RING_MASK,
    SPAN,
    WORK,
)
from processors.ecg.velocity import find_velocities, highest


@dataclass(frozen=True, slots=True)
class Windows:
    """Beats' windows (n, 3, SPAN) in half a µV, and what the networks are told of each beats' surroundings.

    `middles` are sample positions, `found` the marks (n, 8) that the present tables give.
    """

    windows: NDArray[np.int32]
    rr: NDArray[np.float64]
    p_like: NDArray[np.float64]
    middles: NDArray[np.int64]
    found: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Seen:
    """Inputs (n, places, inputs) of one network, the places (n, places) in points, and which are possible."""

    inputs: NDArray[np.float32]
    places: NDArray[np.float64]
    possible: NDArray[np.bool_]


def cut_windows(leads: NDArray[np.float64], detected: NDArray[np.int64], rate_hz: float, *, alone: bool) -> Windows:
    """Windows of all detected beats of conditioned leads (leads, samples); `alone` takes each beat without average."""
    samples = np.clip(np.rint(leads), -32767, 32767).astype(np.int16)
    device = np.zeros(1, DEVICE)
    lead_slots = np.zeros(len(leads), LEAD)
    device["rate_hz"] = device["inner_hz"] = rate_hz
    device["divisor"] = 1
    device["leads"] = len(leads)
    device["lead"][0, : len(leads)] = np.arange(len(leads))
    for field in ("limb_i", "limb_ii", "limb_avf", "rhythm", "window_of"):
        device[field] = ABSENT
    device["last_r_u"] = device["broken_u"] = NEVER
    device["polarity"] = 1.0
    lead_slots["score"] = lead_slots["level"] = 1.0
    count = len(detected)
    out = (np.zeros((count, MEASURED, SPAN), np.int32), np.zeros((count, 3)), np.zeros((count, MARKS), np.float32))
    rows, works = np.zeros(count, BEAT_ROW), np.zeros(1, WORK)
    _follow(np.ascontiguousarray(samples), detected, device[0], lead_slots, rows, works, *out, alone)
    return Windows(out[0], out[1][:, 0], out[1][:, 1], out[1][:, 2].astype(np.int64), out[2])


@njit
def _follow(samples: Any, detected: Any, device: Any, leads: Any, rows: Any, works: Any, windows: Any, around: Any,
            found: Any, alone: bool) -> None:  # fmt: skip
    work = works[0]
    u = 0
    for b in range(detected.size):
        while u <= min(samples.shape[1] - 1, detected[b] + int(READY_S * device.inner_hz)):
            for k in range(samples.shape[0]):
                leads[k].ring[u & RING_MASK] = samples[k, u]
            u += 1
        if alone:
            for k in range(samples.shape[0]):
                leads[k].average_beats = 0
        device.newest_u = u - 1
        device.pending_u[0] = detected[b]
        device.pending_sure[0] = 1.0
        device.pending = 1
        device.marks_age = 1 << 20
        measure(device, leads, rows[b], work)
        windows[b] = work.windows
        windows[b, device.measured_leads :] = 0
        around[b, 0] = work.rr
        around[b, 1] = work.p_like
        around[b, 2] = work.middle_u
        found[b] = work.marks


def see_edges(windows: NDArray[np.int32]) -> tuple[Seen, Seen]:
    """Inputs of the QRS's onset and offset."""
    inputs = np.zeros((len(windows), 2, QRS_INPUTS, QRS_PLACES), np.float32)
    _see_edges(windows, np.zeros(1, WORK), inputs)
    away = 2.0 + 2.0 * np.arange(QRS_PLACES)
    possible = np.ones((len(windows), QRS_PLACES), bool)
    return (
        Seen(_by_place(inputs[:, 0]), np.broadcast_to(BEFORE - away, possible.shape), possible),
        Seen(_by_place(inputs[:, 1]), np.broadcast_to(BEFORE + away, possible.shape), possible),
    )


def see_waves(windows: NDArray[np.int32], rr: NDArray[np.float64], p_like: NDArray[np.float64],
              edges: NDArray[np.float64]) -> tuple[Seen, Seen]:  # fmt: skip
    """Inputs of P and T for QRS boundaries `edges` (n, 2) in points."""
    count = len(windows)
    p, t = np.zeros((count, P_INPUTS, P_PLACES), np.float32), np.zeros((count, T_INPUTS, T_PLACES), np.float32)
    p_at, t_at, possible = np.zeros((count, P_PLACES)), np.zeros((count, T_PLACES)), np.zeros((count, 2), np.int64)
    onset = np.clip(np.rint(edges[:, 0]), 40, BEFORE - 2).astype(np.int64)
    offset = np.clip(np.rint(edges[:, 1]), BEFORE + 2, BEFORE + 70).astype(np.int64)
    _see_waves(windows, rr, p_like, onset, offset, np.zeros(1, WORK), p, t, p_at, t_at, possible)
    return (
        Seen(_by_place(p), p_at, np.arange(P_PLACES) < possible[:, :1]),
        Seen(_by_place(t), t_at, np.arange(T_PLACES) < possible[:, 1:]),
    )


def _by_place(inputs: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.ascontiguousarray(np.moveaxis(inputs, -1, -2))


@njit
def _see_edges(windows: Any, works: Any, inputs: Any) -> None:
    work = works[0]
    for b in range(windows.shape[0]):
        work.windows[:] = windows[b]
        find_velocities(work, MEASURED)
        top = highest(work.fast, BEFORE - QRS_REACH, BEFORE + QRS_REACH + 1)
        compress(work.fast, 0, SPAN, top, work.curve)
        for side in range(2):
            see_qrs(work, 2 * side - 1)
            inputs[b, side] = work.inputs[:QRS_INPUTS, :QRS_PLACES]


@njit
def _see_waves(windows: Any, rr: Any, p_like: Any, onset: Any, offset: Any, works: Any, p: Any, t: Any, p_at: Any,
               t_at: Any, possible: Any) -> None:  # fmt: skip
    work = works[0]
    for b in range(windows.shape[0]):
        work.windows[:] = windows[b]
        find_velocities(work, MEASURED)
        top = highest(work.fast, BEFORE - QRS_REACH, BEFORE + QRS_REACH + 1)
        following = next_qrs(work, top, offset[b])
        possible[b, 0] = see_p(work, MEASURED, onset[b], offset[b], rr[b], p_like[b])
        p[b] = work.inputs[:P_INPUTS, :P_PLACES]
        p_at[b] = work.places[:P_PLACES]
        possible[b, 1] = see_t(work, MEASURED, onset[b], offset[b], following, rr[b])
        t[b] = work.inputs[:T_INPUTS, :T_PLACES]
        t_at[b] = work.places[:T_PLACES]


EDGES = slice(QRS_ONSET, QRS_OFFSET + 1)
"""Columns of marks."""
