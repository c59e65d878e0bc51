"""The fast engine's state as bytes and back, exact and small."""

from __future__ import annotations

import json
import zlib
from typing import Any, Final
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from processors.ecg.interface import StateMismatch
from processors.ecg.slots import SlotTable
from processors.ecg.state import DEVICE, LEAD, RING, RING_MASK


def _unpadded(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """The same fields without the bytes between them that align them: those hold anything."""
    return np.dtype([(name, dtype[name]) for name in dtype.names or ()])


_DEVICE: Final = _unpadded(DEVICE)
_LEAD: Final = _unpadded(LEAD)
_MAGIC: Final = b"LWF1"
_LEVEL: Final = 5
"""Level 1 takes half the time (100 us a device) and 3 % more bytes: over 4 KB for a lead that is noise only."""
_LOOKED_BACK_S: Final = 1.6
"""A beat found late is measured 0.95 s after its R peak, from 0.58 s before it on; the learning period needs it all."""
_CURVES: Final = ("average", "kinds", "usual")
"""Fields of a lead that move slowly from point to point, as the ring does."""
_REMEDY: Final = "start from an empty state and let the engine re-read the last seconds"


def pack(table: SlotTable, version: str) -> bytes:
    """Magic, version and layout, then compressed: who is held, device slots, lead slots, rings, curves.

    Rings and curves hold a slowly moving signal, so their differences are kept, high and low bytes apart; of the other
    records the same byte of a field's values stands together. Both make them compress well.
    """
    held = list(table.held.items())
    slots = [h.slot for _, h in held]
    lead_slots = [slot for _, h in held for slot in h.lead_slots]
    who = [
        [str(device), str(h.source.recording_id), list(h.leads), h.rate_hz, list(h.uv_per_lsb)] for device, h in held
    ]
    leads = table.leads[lead_slots].astype(_LEAD)
    devices = table.devices[slots].astype(_DEVICE)
    rings = _needed(leads["ring"], devices.repeat(devices["leads"]))
    leads["ring"] = 0
    curves = _curves(leads)
    for name in _CURVES:
        leads[name] = 0
    parts = [json.dumps(who).encode(), _transposed(devices), _transposed(leads), _differences(rings)]
    parts.append(_differences(curves))
    body = b"".join(len(part).to_bytes(8, "little") + part for part in parts)
    return _header(version) + zlib.compress(body, _LEVEL)


def unpack(data: bytes, version: str) -> SlotTable:
    """The table `pack` wrote. Raises StateMismatch for other bytes, another version or another layout."""
    header = _header(version)
    if not data.startswith(header):
        raise StateMismatch(f"{len(data)} bytes that are no state of {version}; {_REMEDY}")
    try:
        who_bytes, devices, leads, rings, curves = _parts(zlib.decompress(data[len(header) :]))
        return _table(json.loads(who_bytes), devices, leads, rings, curves)
    except (zlib.error, ValueError, IndexError, TypeError) as error:
        raise StateMismatch(f"state of {version} is damaged ({error}); {_REMEDY}") from None


def _header(version: str) -> bytes:
    layout = zlib.crc32(f"{DEVICE.descr}{LEAD.descr}".encode())
    return _MAGIC + f"{version} {layout:08x}\n".encode()


def _table(who: list[Any], devices: bytes, leads: bytes, rings: bytes, curves: bytes) -> SlotTable:
    table = SlotTable()
    count = sum(len(names) for _, _, names, _, _ in who)
    device_rows = _restored(devices, _DEVICE, len(who))
    lead_rows = _restored(leads, _LEAD, count)
    if count > 0:  # a state of no device has no ring
        lead_rows["ring"] = _summed(rings, count)
        _put_curves(lead_rows, _summed(curves, count))
    at = 0
    for row, (device_id, recording_id, names, rate_hz, gains) in zip(device_rows, who, strict=True):
        held = table.place(UUID(device_id), UUID(recording_id), tuple(names), rate_hz, tuple(gains))
        table.devices[held.slot] = row
        table.point(held.slot, held.lead_slots)
        for slot in held.lead_slots:
            table.leads[slot] = lead_rows[at]
            at += 1
    return table


def _parts(body: bytes) -> list[bytes]:
    parts = []
    at = 0
    while at < len(body):
        size = int.from_bytes(body[at : at + 8], "little")
        parts.append(body[at + 8 : at + 8 + size])
        at += 8 + size
    return parts


def _transposed(rows: NDArray[Any]) -> bytes:
    """Field by field: the first bytes of all its values in all slots, then the second bytes, and so on."""
    return b"".join(_planes(rows[name]).tobytes() for name in rows.dtype.names or ())


def _planes(values: NDArray[Any]) -> NDArray[np.uint8]:
    flat = np.ascontiguousarray(values).reshape(-1)
    return flat.view(np.uint8).reshape(flat.size, flat.itemsize).T


def _restored(data: bytes, dtype: np.dtype[Any], count: int) -> NDArray[Any]:
    rows = np.zeros(count, dtype)
    at = 0
    for name in dtype.names or ():
        values = rows[name]
        size = values.size * values.itemsize
        planes = np.frombuffer(data[at : at + size], np.uint8).reshape(values.itemsize, values.size)
        rows[name] = np.ascontiguousarray(planes.T).view(values.dtype).reshape(values.shape)
        at += size
    return rows


def _needed(rings: NDArray[np.int16], devices: NDArray[Any]) -> NDArray[np.int16]:
    """The rings without what is too old to be looked at again; `devices` are their owners."""
    age = (devices["newest_u"][:, np.newaxis] - np.arange(RING)) & RING_MASK
    needed = np.where(devices["learned"] == 1, _LOOKED_BACK_S * devices["inner_hz"], RING)
    return np.where(age < needed[:, np.newaxis], rings, np.int16(0))


def _curves(leads: NDArray[Any]) -> NDArray[np.int16]:
    """All of a lead's curves one after the other, a row for each lead."""
    rows = (leads[name].reshape(len(leads), leads.dtype[name].itemsize // 2) for name in _CURVES)
    return np.concatenate(list(rows), axis=1)


def _put_curves(leads: NDArray[Any], curves: NDArray[np.int16]) -> None:
    at = 0
    for name in _CURVES:
        size = leads.dtype[name].itemsize // 2
        leads[name] = curves[:, at : at + size].reshape(leads[name].shape)
        at += size


def _differences(rings: NDArray[np.int16]) -> bytes:
    values = rings.view(np.uint16)
    steps = values.copy()
    steps[:, 1:] -= values[:, :-1]
    zigzag = (steps << 1) ^ np.where(steps & 0x8000, np.uint16(0xFFFF), np.uint16(0))
    return (zigzag >> 8).astype(np.uint8).tobytes() + (zigzag & 0xFF).astype(np.uint8).tobytes()


def _summed(data: bytes, count: int) -> NDArray[np.int16]:
    planes = np.frombuffer(data, np.uint8).reshape(2, count, -1).astype(np.uint16)
    zigzag = (planes[0] << 8) | planes[1]
    steps = (zigzag >> 1) ^ np.where(zigzag & 1, np.uint16(0xFFFF), np.uint16(0))
    return np.cumsum(steps, axis=1, dtype=np.uint16).view(np.int16)
