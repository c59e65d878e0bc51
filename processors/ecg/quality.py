"""How far each lead can be read, second by second, and which lead speaks for the device."""

from __future__ import annotations

from typing import Any, Final

from numpy.typing import NDArray

from processors.ecg.kernel import Record, kernel
from processors.ecg.state import WINDOW_MASK

FLAT_UV: Final = 40.0
"""A second that spans less is a lead that is off: the smallest QRS in mitdb outside drop-outs spans 150 µV."""
NOISE_GOOD: Final = 0.22
NOISE_BAD: Final = 0.45
"""Mean envelope over the height of a typical beat. The worst tenth of the seconds of clean mitdb records stays under
0.21, of nstdb's 118 at 0 dB half are over 0.45, white noise has 0.49."""
FIRST_LEVEL: Final = 0.8
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
def lead_quality(lead: Record, samples: int) -> float:
    """0 to 1 for the second just ended, of which `samples` came.

    The product of what makes a lead unreadable: missing samples, a flat line, the converter's rails, noise that
    fills the gaps between beats, and artefacts far higher than a beat.
    """
    if lead.valid == 0 or lead.inner == 0 or samples == 0:
        return 0.0
    if (float(lead.high) - float(lead.low)) * lead.gain_uv < FLAT_UV:
        return 0.0
    quality = lead.valid / samples * ramp(lead.railed / samples, RAILED_BAD, 0.0)
    if lead.level > 0.0:
        share = lead.energy / lead.inner / lead.level
        quality *= ramp(share, NOISE_BAD, NOISE_GOOD)
    return float(quality)


@kernel
def close_window(device: Record, leads: NDArray[Any], expected: int) -> None:
    """Judge every lead for the second that ended, choose the main lead, weigh the leads for the next second."""
    best = 0.0
    for k in range(device.leads):
        lead = leads[device.lead[k]]
        if device.learned == 0:
            lead.level = max(lead.level, FIRST_LEVEL * lead.peak)
        quality = lead_quality(lead, expected)
        lead.score += SMOOTHING * (quality - lead.score)
        best = max(best, quality)
        lead.valid = 0
        lead.railed = 0
        lead.inner = 0
        lead.energy = 0.0
        lead.peak = 0.0
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
