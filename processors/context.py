"""What a new engine reads again when it can't go on from the state that another one left."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from numpy.typing import NDArray

from processors.ecg.interface import Engine, Step
from processors.sequence import Sequencer, Track
from schemas.results import Results
from schemas.samples import SampleBlock

UNDECIDED_US: Final = 750_000
"""The engine before has not decided beats so close to where it stopped; all older ones are in the store."""


def reread(engine: Engine[Any], sequencer: Sequencer) -> Step[Any]:
    """The state after the last 4 to 14 s of each device, which the checkpoint holds, and what is new in them.

    Filters, levels and shapes are learned from them; longer memories (a rhythm's, a patient's usual beat) begin anew.
    """
    blocks = [_block(track) for track in sequencer.tracks.values() if track.recent.shape[1]]
    step = engine.step(blocks, engine.new_state())
    ends_us = {track.like.device_id: track.at_us(track.next_index) for track in sequencer.tracks.values()}
    return Step(_undecided(step.results, ends_us), step.state)


def _block(track: Track) -> SampleBlock:
    return replace(
        track.like,
        first_index=track.recent_first,
        started_at_us=track.at_us(track.recent_first),
        samples=track.recent,
    )


def _undecided(results: Results, ends_us: dict[Any, int]) -> Results:
    """Without what was told before: beats and seconds of the stretch that only the new engine decides, no episodes."""
    limits = [ends_us[source.device_id] - UNDECIDED_US for source in results.sources]
    return replace(
        results,
        beats=_since(results.beats, "at_us", limits),
        metrics=_since(results.metrics, "window_start_us", limits),
        episodes=results.episodes[:0],
    )


def _since(table: NDArray[Any], moment: str, limits: list[int]) -> NDArray[Any]:
    return table[[row[moment] >= limits[row["source"]] for row in table]] if table.size else table
