"""Which device sits in which slot; slots are handed out, given back and grown here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from uuid import UUID

import numpy as np

from processors.ecg.state import INNER_RATE_HZ, Slots, blank_devices, blank_leads
from schemas.results import Source
from schemas.samples import Lead, SampleBlock

_FIRST_SLOTS: Final = 16
_MEASURE_ON: Final[tuple[Lead, ...]] = ("II", "MLII", "I", "V5", "V2", "ECG")
"""The lead beats are measured on at first, by preference; quality moves it later."""


@dataclass(frozen=True, slots=True)
class Held:
    """A recording in progress and its slots."""

    slot: int
    lead_slots: tuple[int, ...]
    source: Source
    leads: tuple[Lead, ...]
    rate_hz: float
    uv_per_lsb: tuple[float, ...]

    def goes_on_with(self, block: SampleBlock) -> bool:
        """Whether the block belongs to the same recording, with the same leads, rate and gain."""
        return (
            self.source.recording_id.int == block.recording_id.int  # UUID's own == takes three times as long
            and self.leads == block.leads
            and self.rate_hz == block.rate_hz
            and self.uv_per_lsb == block.uv_per_lsb
        )


class SlotTable:
    """The fast engine's state: `held` by device, and the slots as numpy records (state.py)."""

    def __init__(self) -> None:
        self.held: dict[UUID, Held] = {}
        self.devices: Slots = blank_devices(_FIRST_SLOTS)
        self.leads: Slots = blank_leads(_FIRST_SLOTS)
        self._free_devices = list(range(_FIRST_SLOTS))[::-1]
        self._free_leads = list(range(_FIRST_SLOTS))[::-1]

    def open(self, block: SampleBlock) -> Held:
        """Blank slots for a new recording, its fixed fields filled."""
        held = self.place(block.device_id, block.recording_id, block.leads, block.rate_hz, block.uv_per_lsb)
        device = self.devices[held.slot]
        divisor = max(1, round(block.rate_hz / INNER_RATE_HZ))
        device["rate_hz"] = block.rate_hz
        device["divisor"] = divisor
        device["inner_hz"] = block.rate_hz / divisor
        device["main"] = _first_choice(block.leads)
        for field, names in (("limb_i", ("I", "MLI")), ("limb_ii", ("II", "MLII")), ("limb_avf", ("aVF",))):
            device[field] = next((block.leads.index(n) for n in names if n in block.leads), -1)
        for slot, gain in zip(held.lead_slots, block.uv_per_lsb, strict=True):
            self.leads[slot]["gain_uv"] = gain
        return held

    def place(
        self, device_id: UUID, recording_id: UUID, leads: tuple[Lead, ...], rate_hz: float, gains: tuple[float, ...]
    ) -> Held:
        """Blank slots, with the way from the device to its leads laid."""
        self._grow(len(leads))
        slot = self._free_devices.pop()
        lead_slots = tuple(self._free_leads.pop() for _ in leads)
        self.devices[slot] = np.zeros((), self.devices.dtype)
        self.leads[list(lead_slots)] = np.zeros((), self.leads.dtype)
        self.point(slot, lead_slots)
        self.held[device_id] = Held(slot, lead_slots, Source(device_id, recording_id, leads), leads, rate_hz, gains)
        return self.held[device_id]

    def point(self, slot: int, lead_slots: tuple[int, ...]) -> None:
        self.devices[slot]["leads"] = len(lead_slots)
        self.devices[slot]["lead"][: len(lead_slots)] = lead_slots

    def free(self, held: Held) -> None:
        self._free_devices.append(held.slot)
        self._free_leads.extend(held.lead_slots)

    def copy(self) -> SlotTable:
        """The same devices in the same slots; who goes on with one of the two leaves the other as it is."""
        table = SlotTable()
        table.held = dict(self.held)
        table.devices, table.leads = self.devices.copy(), self.leads.copy()
        table._free_devices, table._free_leads = list(self._free_devices), list(self._free_leads)
        return table

    def _grow(self, leads: int) -> None:
        if not self._free_devices:
            size = self.devices.size
            self.devices = np.concatenate([self.devices, blank_devices(size)])
            self._free_devices = list(range(size, 2 * size))[::-1]
        while len(self._free_leads) < leads:
            size = self.leads.size
            self.leads = np.concatenate([self.leads, blank_leads(size)])
            self._free_leads = list(range(size, 2 * size))[::-1] + self._free_leads


def _first_choice(leads: tuple[Lead, ...]) -> int:
    return next((leads.index(lead) for lead in _MEASURE_ON if lead in leads), 0)
