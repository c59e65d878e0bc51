"""HRV: how the heart's rate varied in five minutes of one device."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal
from uuid import UUID

STRETCH_S: Final = 300
"""The length that Task Force 1996 asks of short recordings. Stretches begin at UTC's whole five minutes."""

Refusal = Literal["little_nn", "atrial_fibrillation", "not_computable"]
"""Why a stretch has no figures: too little of it between normal beats, fibrillation or flutter, no result."""

FIGURES: Final = (
    "mean_nn_ms", "sdnn_ms", "rmssd_ms", "sdsd_ms", "pnn50", "pnn20", "vlf_ms2", "lf_ms2", "hf_ms2", "total_ms2",
    "lf_hf", "lf_nu", "hf_nu", "sd1_ms", "sd2_ms", "sd1_sd2", "sample_entropy", "dfa_alpha1",
)  # fmt: skip
"""The figures of an HrvStretch."""


@dataclass(frozen=True, slots=True)
class HrvStretch:
    """Five minutes of a device; its identity is (device_id, stretch_start).

    NN is the interval between two normal beats that follow each other; `nn_share` is how much of the stretch such
    intervals make up (0 to 1), `af_share` how much of its labelled seconds was atrial fibrillation or flutter (None: no
    second was kept). `pnn50` and `pnn20` are per cent, powers ms², `lf_nu` and `hf_nu` per cent of LF + HF. Without a
    `reason` a figure of None is one that this series has not (LF/HF of no variation at all).
    """

    device_id: UUID
    stretch_start: datetime
    user_id: UUID | None
    beats: int
    nn_count: int
    nn_share: float
    af_share: float | None
    reason: Refusal | None
    engine_version: str
    hrv_version: str
    last_beat_at: datetime
    mean_nn_ms: float | None = None
    sdnn_ms: float | None = None
    rmssd_ms: float | None = None
    sdsd_ms: float | None = None
    pnn50: float | None = None
    pnn20: float | None = None
    vlf_ms2: float | None = None
    lf_ms2: float | None = None
    hf_ms2: float | None = None
    total_ms2: float | None = None
    lf_hf: float | None = None
    lf_nu: float | None = None
    hf_nu: float | None = None
    sd1_ms: float | None = None
    sd2_ms: float | None = None
    sd1_sd2: float | None = None
    sample_entropy: float | None = None
    dfa_alpha1: float | None = None
