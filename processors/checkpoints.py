"""A partition's memory as bytes: the sequencer's tracks, the alarm board and the engine's state, exact."""

from __future__ import annotations

import json
import struct
from base64 import b64decode, b64encode
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import numpy as np

from processors import alarms
from processors.alarms import Board
from processors.ecg.interface import StateMismatch
from processors.sequence import Sequencer, Track
from schemas.codec import decode_pack, encode_pack
from schemas.samples import Gap, SampleBlock
from storage import waveforms

_FORMAT: Final = 2
_HEADER: Final = struct.Struct("<HI")  # format, length of the tracks
_BOARD: Final = struct.Struct("<I")  # length of the board, since format 2
_NUMBERS: Final = ("recent_first", "stored_index", "stored_at_us", "anchor_index", "anchor_us", "received_at_us")


@dataclass(frozen=True, slots=True)
class Loaded:
    """What a checkpoint holds beside the tracks: the engine's part, and the alarm board (None before there was one)."""

    engine_state: bytes
    board: Board | None


def dump(sequencer: Sequencer, board: Board, engine_state: bytes) -> bytes:
    """Bytes of a partition's state; `load` gives the same state back."""
    tracks = json.dumps([_facts(track) for track in sequencer.tracks.values()]).encode()
    watched = alarms.dump(board)
    return _HEADER.pack(_FORMAT, len(tracks)) + tracks + _BOARD.pack(len(watched)) + watched + engine_state


def load(data: bytes, sequencer: Sequencer) -> Loaded:
    """Fill an empty sequencer with the dumped tracks; returns the rest. Raises StateMismatch."""
    kind, length = _HEADER.unpack_from(data)
    if kind not in (1, _FORMAT):
        raise StateMismatch(f"checkpoint format {kind}, this worker reads {_FORMAT}; context is read again")
    for facts in json.loads(data[_HEADER.size : _HEADER.size + length]):
        track = _track(facts)
        sequencer.tracks[track.like.device_id] = track
    rest = data[_HEADER.size + length :]
    if kind == 1:
        return Loaded(rest, None)
    (size,) = _BOARD.unpack_from(rest)
    return Loaded(rest[_BOARD.size + size :], alarms.load(rest[_BOARD.size : _BOARD.size + size]))


def _facts(track: Track) -> dict[str, Any]:
    like, recent = track.like, waveforms.encode(track.recent)
    return {
        "device_id": str(like.device_id),
        "recording_id": str(like.recording_id),
        "first_index": like.first_index,
        "started_at_us": like.started_at_us,
        "rate_hz": like.rate_hz,
        "leads": like.leads,
        "uv_per_lsb": like.uv_per_lsb,
        "codec": recent.codec,
        "recent": b64encode(recent.data).decode(),
        "count": track.recent.shape[1],
        "held": b64encode(encode_pack(track.held)).decode() if track.held else None,
        "gaps": [[gap.first_index, gap.end_index] for gap in track.gaps],
        **{name: getattr(track, name) for name in _NUMBERS},
    }


def _track(facts: dict[str, Any]) -> Track:
    leads = tuple(facts["leads"])
    recording_id = UUID(facts["recording_id"])
    like = SampleBlock(
        device_id=UUID(facts["device_id"]),
        recording_id=recording_id,
        first_index=facts["first_index"],
        started_at_us=facts["started_at_us"],
        rate_hz=facts["rate_hz"],
        leads=leads,
        uv_per_lsb=tuple(facts["uv_per_lsb"]),
        samples=np.empty((len(leads), 0), np.int16),
    )
    recent = waveforms.Encoded(facts["codec"], b64decode(facts["recent"]))
    return Track(
        like=like,
        recent=waveforms.decode(recent, leads=len(leads), count=facts["count"]),
        held=decode_pack(b64decode(facts["held"])) if facts["held"] else [],
        gaps=[Gap(recording_id, first, end) for first, end in facts["gaps"]],
        **{name: facts[name] for name in _NUMBERS},
    )
