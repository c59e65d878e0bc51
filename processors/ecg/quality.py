"""How far each lead can be read, second by second, and which lead speaks for the device."""

from __future__ import annotations

from typing import Any, Final

from numpy.typing import NDArray

from processors.ecg.kernel import Record, kernel
from processors.ecg.mains import look_for_mains
from processors.ecg.state import RING_MASK, WINDOW_MASK
from schemas.quality import FLAGS

MISSING_BIT: Final = 1 << FLAGS.index("missing")
FLAT_BIT: Final = 1 << FLAGS.index("flat")
LEAD_OFF_BIT: Final = 1 << FLAGS.index("lead_off")
SATURATED_BIT: Final = 1 << FLAGS.index("saturated")
NOISE_BIT: Final = 1 << FLAGS.index("noise")
FLAT_UV: Final = 40.0
"""A second that spans less is a lead that is off: the smallest QRS in mitdb outside drop-outs spans 150 µV."""
NOISE_GOOD: Final = 0.22
NOISE_BAD: Final = 0.45
"""Mean envelope over the height of a typical beat. The worst tenth of the seconds of clean mitdb records stays under
0.21, of nstdb's 118 at 0 dB half are over 0.45, white noise has 0.49."""
NOISY: Final = 0.5
PRESENT: Final = 0.9
RAILED_SOME: Final = 0.01
OFF_RUNS: Final = 3
"""A lead that gave nothing readable for so many seconds is called off."""
FIRST_LEVEL: Final = 0.8
HUM_GOOD_UV: Final = 1000.0
HUM_BAD_UV: Final = 3000.0
"""So much hum, even taken off, is what an open electrode picks up."""
RAILED_BAD: Final = 0.1
UNREADABLE: Final = 0.25
"""Below this the second is called unreadable."""
SWITCH_BY: Final = 0.15
SMOOTHING: Final = 0.3
MERIT_POWER: Final = 4


@kernel
def ramp(value: float, bad: float, good: float) -> float:
    """0 at `bad`, 1 at `good`, linear between."""
    share = (value - bad) / (good - bad)
    return min(1.0, max(0.0, share))


@kernel
def judge_lead(lead: Record, window: int, samples: int, clean_span_uv: float) -> float:
    """Quality, 0 to 1, and flags of the second just ended, of which `samples` came; kept under number `window`.

    The quality is the product of what makes a lead unreadable: missing samples, a flat line, the converter's rails,
    noise that fills the gaps between beats, hum.
    """
    flags = 0
    present = lead.valid / samples if samples > 0 else 0.0
    railed = lead.railed / samples if samples > 0 else 0.0
    calm = 1.0
    if present < PRESENT:
        flags |= MISSING_BIT
    if railed > RAILED_SOME:
        flags |= SATURATED_BIT
    if lead.valid > 0 and min(float(lead.high - lead.low) * lead.gain_uv, clean_span_uv) < FLAT_UV:
        flags |= FLAT_BIT
    elif lead.level > 0.0 and lead.inner > 0:
        calm = ramp(lead.energy / lead.inner / lead.level, NOISE_BAD, NOISE_GOOD)
        calm *= ramp(lead.mains_uv, HUM_BAD_UV, HUM_GOOD_UV)
        if calm < NOISY:
            flags |= NOISE_BIT
    quality = present * calm * ramp(railed, RAILED_BAD, 0.0)
    if flags & FLAT_BIT:
        quality = 0.0
    lead.off_run = lead.off_run + 1 if quality == 0.0 else 0
    if lead.off_run >= OFF_RUNS:
        flags |= LEAD_OFF_BIT
    lead.quality_of[window & WINDOW_MASK] = quality
    lead.flags_of[window & WINDOW_MASK] = flags
    return quality


@kernel
def clean_span(lead: Record, first_u: int, end_u: int) -> float:
    """Highest minus lowest conditioned sample, µV."""
    low = int(lead.ring[first_u & RING_MASK])
    high = low
    for u in range(first_u, end_u):
        value = int(lead.ring[u & RING_MASK])
        low = min(low, value)
        high = max(high, value)
    return float(high - low)


@kernel
def close_window(device: Record, leads: NDArray[Any], expected: int) -> None:
    """Judge every lead for the second that ended, choose the main lead, weigh the leads for the next second."""
    best = 0.0
    end_u = device.newest_u + 1
    for k in range(device.leads):
        lead = leads[device.lead[k]]
        if device.learned == 0:
            lead.level = max(lead.level, FIRST_LEVEL * lead.peak)
        first_u = end_u - lead.inner
        quality = judge_lead(lead, device.window, expected, clean_span(lead, first_u, end_u))
        if lead.valid == device.window_samples and lead.inner > 0:
            look_for_mains(lead, first_u, end_u, device.window, device.inner_hz)
        lead.score += SMOOTHING * (quality - lead.score)
        best = max(best, quality)
        lead.valid = 0
        lead.railed = 0
        lead.inner = 0
        lead.energy = 0
        lead.peak = 0
    device.window_of[device.window & WINDOW_MASK] = device.window
    device.window_quality[device.window & WINDOW_MASK] = best
    if device.leads > 1:
        choose_main(device, leads)
        weigh(device, leads)


@kernel
def choose_main(device: Record, leads: NDArray[Any]) -> None:
    """The lead that beats are measured on changes only for one clearly better."""
    now = leads[device.lead[device.main]].score
    for k in range(device.leads):
        score = leads[device.lead[k]].score
        if score > now + SWITCH_BY:
            now = score
            device.main = k


@kernel
def merit(lead: Record) -> float:
    """What a lead adds to the fusion: its quality times how far its beats stand out of its own noise, to the 4th."""
    if lead.level <= 0.0:
        return 0.0
    contrast = lead.level / max(lead.noise, 0.05 * lead.level)
    return float(lead.score * lead.score * contrast**MERIT_POWER)


@kernel
def weigh(device: Record, leads: NDArray[Any]) -> None:
    """Weights of the leads in the fused envelope: each scaled to its own beats, better leads count more.

    They are scaled so that a typical beat stays as high in the fused envelope as the detector's level has it.
    """
    share = 0.0
    before = 0.0
    for k in range(device.leads):
        lead = leads[device.lead[k]]
        before += lead.weight * lead.level
        share += merit(lead)
    if share <= 0.0 or before <= 0.0:
        return
    for k in range(device.leads):
        lead = leads[device.lead[k]]
        lead.weight = before * merit(lead) / (share * lead.level) if lead.level > 0.0 else 0.0
