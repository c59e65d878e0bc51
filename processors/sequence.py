"""Putting a device's blocks in order: repeats dropped, small disorder put right, gaps told, nothing invented. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Final, Literal
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from schemas.clock import index_to_us
from schemas.errors import Conflict
from schemas.samples import Gap, SampleBlock, WaveformStretch

REORDER_S: Final = 2.0
"""A block this far ahead waits for the ones before it; further ahead, what is missing is a gap."""

COMPARE_S: Final = 4.0
"""How much of the past is kept to tell a repeat from a contradiction."""

DRIFT_US: Final = 50_000
"""A device clock off by more than this from its own index re-anchors the time of what follows."""

_GAPS_KEPT: Final = 16

Outcome = Literal["taken", "held", "repeated", "late"]


@dataclass(slots=True)
class Track:
    """What is known of a device's current recording.

    `recent` holds samples [recent_first, next_index) of the recording, int16 of shape (leads, n): the open
    stretch and at least COMPARE_S before it. Stretches up to `stored_index` have been given out; the open one began
    at `stored_at_us`, fixed when it opened because it is part of the row's identity. `flushed_index` is where the open
    stretch ended when it was given out unfinished.
    """

    like: SampleBlock
    recent_first: int
    recent: NDArray[np.int16]
    stored_index: int
    stored_at_us: int
    anchor_index: int
    anchor_us: int
    received_at_us: int
    held: list[SampleBlock] = field(default_factory=list)
    gaps: list[Gap] = field(default_factory=list)
    flushed_index: int = -1

    @property
    def next_index(self) -> int:
        return self.recent_first + int(self.recent.shape[1])

    def at_us(self, index: int) -> int:
        """The moment of a sample by the present anchor."""
        return self.anchor_us + index_to_us(index - self.anchor_index, self.like.rate_hz)


@dataclass(slots=True)
class Sequenced:
    """What one block led to; `blocks` are in order, never overlap, and go to the engine."""

    outcome: Outcome
    blocks: list[SampleBlock] = field(default_factory=list)
    stretches: list[WaveformStretch] = field(default_factory=list)
    gaps: list[Gap] = field(default_factory=list)
    started: SampleBlock | None = None


class Sequencer:
    """Tracks of the devices of one partition; equal blocks in equal order give equal results."""

    def __init__(self, stretch_s: float) -> None:
        self.stretch_s = stretch_s
        self.tracks: dict[UUID, Track] = {}

    def take(self, block: SampleBlock) -> Sequenced:
        """Sequence one block. Raises Conflict when it contradicts what is known of its recording."""
        track = self.tracks.get(block.device_id)
        if track is None:
            return self._begin(block)
        if track.like.recording_id != block.recording_id:
            return self._change_recording(track, block)
        _check_same_acquisition(track.like, block)
        track.received_at_us = max(track.received_at_us, block.received_at_us)
        if block.first_index > track.next_index:
            return self._ahead(track, block)
        return self._at_or_behind(track, block)

    def flush(self, before_us: int | None = None) -> list[WaveformStretch]:
        """The open stretches as far as they have come, each as long as it is once; they stay open.

        With `before_us` only of devices heard of last before this moment of the gateway's clock: who goes on sending
        completes the stretch soon, and it is written once.
        """
        flushed = []
        for track in self.tracks.values():
            if (before_us is None or track.received_at_us < before_us) and track.flushed_index != track.next_index:
                track.flushed_index = track.next_index
                open_stretch = self._open_stretch(track)
                if open_stretch is not None:
                    flushed.append(open_stretch)
        return flushed

    def close(self, device_id: UUID) -> Sequenced:
        """Release what a silent device holds, and forget the device."""
        track = self.tracks.pop(device_id)
        done = Sequenced("taken")
        self._release(track, done, final=True)
        last = self._open_stretch(track)
        if last is not None:
            done.stretches.append(last)
        return done

    def idle(self, before_us: int) -> list[UUID]:
        """Devices heard of last before this moment of the gateway's clock."""
        return [device_id for device_id, track in self.tracks.items() if track.received_at_us < before_us]

    def _begin(self, block: SampleBlock) -> Sequenced:
        empty: NDArray[np.int16] = np.empty((len(block.leads), 0), np.int16)
        track = Track(
            like=replace(block, samples=empty),
            recent_first=block.first_index,
            recent=empty,
            stored_index=block.first_index,
            stored_at_us=block.started_at_us,
            anchor_index=block.first_index,
            anchor_us=block.started_at_us,
            received_at_us=block.received_at_us,
        )
        self.tracks[block.device_id] = track
        done = Sequenced("taken", started=block)
        self._append(track, block, done)
        return done

    def _change_recording(self, track: Track, block: SampleBlock) -> Sequenced:
        if block.started_at_us < track.like.started_at_us:  # of a recording that was closed already
            return Sequenced("late", stretches=[_stretch_of(block)], started=block)
        ended = self.close(block.device_id)
        begun = self._begin(block)
        begun.blocks[:0] = ended.blocks
        begun.stretches[:0] = ended.stretches
        begun.gaps[:0] = ended.gaps
        return begun

    def _ahead(self, track: Track, block: SampleBlock) -> Sequenced:
        done = Sequenced("held")
        for held in track.held:
            _check_overlap(held.first_index, held.samples, block)
        track.held.append(block)
        track.held.sort(key=lambda held: held.first_index)
        self._release(track, done, final=False)
        return done

    def _at_or_behind(self, track: Track, block: SampleBlock) -> Sequenced:
        _check_overlap(track.recent_first, track.recent, block)
        if block.end_index <= track.next_index:
            if any(gap.first_index < block.end_index and block.first_index < gap.end_index for gap in track.gaps):
                return Sequenced("late", stretches=[_stretch_of(block)])
            return Sequenced("repeated")
        done = Sequenced("taken")
        self._append(track, _from_index(block, track.next_index), done)
        self._release(track, done, final=False)
        return done

    def _release(self, track: Track, done: Sequenced, *, final: bool) -> None:
        """Pass on held blocks that have become next, or whose predecessors are given up."""
        reach = int(REORDER_S * track.like.rate_hz)
        while track.held:
            block = track.held[0]
            if block.end_index <= track.next_index:
                track.held.pop(0)
                continue
            if block.first_index > track.next_index:
                if not final and track.held[-1].end_index - track.next_index <= reach:
                    return
                self._give_up(track, block.first_index, done)
            track.held.pop(0)
            self._append(track, _from_index(block, track.next_index), done)

    def _give_up(self, track: Track, until: int, done: Sequenced) -> None:
        gap = Gap(track.like.recording_id, track.next_index, until)
        last = self._open_stretch(track)
        if last is not None:
            done.stretches.append(last)
        done.gaps.append(gap)
        track.gaps = [*track.gaps, gap][-_GAPS_KEPT:]
        track.recent, track.recent_first = track.recent[:, :0], until
        track.stored_index = until

    def _append(self, track: Track, block: SampleBlock, done: Sequenced) -> None:
        """Take in a block that begins exactly at next_index."""
        expected_us = track.at_us(block.first_index)
        if abs(block.started_at_us - expected_us) > DRIFT_US:
            track.anchor_index, track.anchor_us = block.first_index, block.started_at_us
            expected_us = block.started_at_us
        done.blocks.append(block if block.started_at_us == expected_us else replace(block, started_at_us=expected_us))
        if track.stored_index == track.next_index:
            track.stored_at_us = expected_us
        track.recent = np.concatenate((track.recent, block.samples), axis=1)
        self._cut_stretches(track, done)

    def _cut_stretches(self, track: Track, done: Sequenced) -> None:
        """Give out every stretch that is complete; they end at multiples of stretch_s from index 0."""
        length = self._stretch_length(track)
        while (end := (track.stored_index // length + 1) * length) <= track.next_index:
            done.stretches.append(_stretch(track, end))
            track.stored_index, track.stored_at_us = end, track.at_us(end)
        keep_from = min(track.stored_index, track.next_index - int(COMPARE_S * track.like.rate_hz))
        if keep_from > track.recent_first:
            track.recent = track.recent[:, keep_from - track.recent_first :].copy()
            track.recent_first = keep_from

    def _open_stretch(self, track: Track) -> WaveformStretch | None:
        if track.stored_index == track.next_index:
            return None
        return _stretch(track, track.next_index)

    def _stretch_length(self, track: Track) -> int:
        return max(1, round(self.stretch_s * track.like.rate_hz))


def _check_same_acquisition(known: SampleBlock, block: SampleBlock) -> None:
    if known.leads == block.leads and known.rate_hz == block.rate_hz and known.uv_per_lsb == block.uv_per_lsb:
        return
    for name in ("leads", "rate_hz", "uv_per_lsb"):
        before, now = getattr(known, name), getattr(block, name)
        if before != now:
            raise Conflict(
                f"{name} is {now} but recording {block.recording_id} began with {before}; "
                "begin a new recording (another recording_id) when leads, rate or gain change"
            )


def _check_overlap(first_index: int, known: NDArray[np.int16], block: SampleBlock) -> None:
    """Raise Conflict when the block tells other values for samples that are known."""
    start = max(first_index, block.first_index)
    end = min(first_index + known.shape[1], block.end_index)
    if end <= start:
        return
    mine = known[:, start - first_index : end - first_index]
    theirs = block.samples[:, start - block.first_index : end - block.first_index]
    if not np.array_equal(mine, theirs):
        raise Conflict(
            f"samples [{start}, {end}) of recording {block.recording_id} are known with other values; "
            "what came first is kept: send each index once, with a new recording_id after a restart"
        )


def _from_index(block: SampleBlock, index: int) -> SampleBlock:
    """The part of a block from `index` on."""
    skip = index - block.first_index
    if skip <= 0:
        return block
    return replace(
        block,
        first_index=index,
        started_at_us=block.started_at_us + index_to_us(skip, block.rate_hz),
        samples=block.samples[:, skip:],
    )


def _stretch(track: Track, end: int) -> WaveformStretch:
    """The open stretch up to `end`."""
    like, first = track.like, track.stored_index
    return WaveformStretch(
        recording_id=like.recording_id,
        device_id=like.device_id,
        first_index=first,
        started_at_us=track.stored_at_us,
        rate_hz=like.rate_hz,
        leads=like.leads,
        uv_per_lsb=like.uv_per_lsb,
        samples=track.recent[:, first - track.recent_first : end - track.recent_first],
    )


def _stretch_of(block: SampleBlock) -> WaveformStretch:
    return WaveformStretch(
        recording_id=block.recording_id,
        device_id=block.device_id,
        first_index=block.first_index,
        started_at_us=block.started_at_us,
        rate_hz=block.rate_hz,
        leads=block.leads,
        uv_per_lsb=block.uv_per_lsb,
        samples=block.samples,
    )
