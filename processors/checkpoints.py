"""A partition's memory as bytes: the sequencer's tracks, the alarm board and the engine's state, exact."""

from __future__ import annotations

import json
import struct
from base64 import b64decode, b64encode
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import Any, Final
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from processors import alarms
from processors.alarms import Board
from processors.ecg.interface import StateMismatch
from processors.sequence import Sequencer, Track
from schemas.codec import decode_pack, encode_pack
from schemas.samples import Gap, SampleBlock
from storage import waveforms

_FORMAT: Final = 3
_HEADER: Final = struct.Struct("<HBIII")  # format, codec of the samples, lengths of the tracks, samples and board
_NUMBERS: Final = ("recent_first", "stored_index", "stored_at_us", "anchor_index", "anchor_us", "received_at_us")


@dataclass(frozen=True, slots=True)
class Loaded:
    """What a checkpoint holds beside the tracks: the engine's part, and the alarm board."""

    engine_state: bytes
    board: Board


def dump(sequencer: Sequencer, board: Board, engine_state: bytes) -> bytes:
    """Bytes of a partition's state; `load` gives the same state back."""
    return encode(copied(sequencer), alarms.dump(board), engine_state)


def copied(sequencer: Sequencer) -> list[Track]:
    """The tracks as they are now. Their arrays are never changed in place, so they may be shared."""
    return [replace(track, held=list(track.held), gaps=list(track.gaps)) for track in sequencer.tracks.values()]


def encode(tracks: Sequence[Track], watched: bytes, engine_state: bytes) -> bytes:
    """Bytes of the tracks, of the alarm board as it was dumped, and of the engine.

    The samples of all tracks are coded as one lead: thousands of small codings cost five times as much.
    """
    told = json.dumps([_facts(track) for track in tracks]).encode()
    samples = np.concatenate([np.empty(0, np.int16), *(track.recent.ravel() for track in tracks)])
    recent = waveforms.encode(samples.reshape(1, -1))
    header = _HEADER.pack(_FORMAT, recent.codec, len(told), len(recent.data), len(watched))
    return header + told + recent.data + watched + engine_state


def load(data: bytes, sequencer: Sequencer) -> Loaded:
    """Fill an empty sequencer with the dumped tracks; returns the rest. Raises StateMismatch."""
    kind = int.from_bytes(data[:2], "little")
    if kind != _FORMAT:
        raise StateMismatch(f"checkpoint format {kind}, this worker reads {_FORMAT}; context is read again")
    _, codec, *sizes = _HEADER.unpack_from(data)
    told, coded, watched, engine_state = _cut(data[_HEADER.size :], sizes)
    facts = json.loads(told)
    counts = [len(each["leads"]) * each["count"] for each in facts]
    samples = waveforms.decode(waveforms.Encoded(codec, coded), leads=1, count=sum(counts))[0]
    for each, recent in zip(facts, np.split(samples, np.cumsum(counts)[:-1]), strict=False):
        track = _track(each, recent)
        sequencer.tracks[track.like.device_id] = track
    return Loaded(engine_state, alarms.load(watched))


def _cut(data: bytes, sizes: list[int]) -> list[bytes]:
    """The parts of these sizes, and what is left."""
    ends = [0, *accumulate(sizes)]
    return [data[first:end] for first, end in zip(ends, [*ends[1:], len(data)], strict=True)]


def _facts(track: Track) -> dict[str, Any]:
    like = track.like
    return {
        "device_id": str(like.device_id),
        "recording_id": str(like.recording_id),
        "first_index": like.first_index,
        "started_at_us": like.started_at_us,
        "rate_hz": like.rate_hz,
        "leads": like.leads,
        "uv_per_lsb": like.uv_per_lsb,
        "count": track.recent.shape[1],
        "held": b64encode(encode_pack(track.held)).decode() if track.held else None,
        "gaps": [[gap.first_index, gap.end_index] for gap in track.gaps],
        **{name: getattr(track, name) for name in _NUMBERS},
    }


def _track(facts: dict[str, Any], recent: NDArray[np.int16]) -> Track:
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
    return Track(
        like=like,
        recent=recent.reshape(len(leads), -1),
        held=decode_pack(b64decode(facts["held"])) if facts["held"] else [],
        gaps=[Gap(recording_id, first, end) for first, end in facts["gaps"]],
        **{name: facts[name] for name in _NUMBERS},
    )
