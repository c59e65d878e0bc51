"""The contract every engine keeps: blocks and state in, results and state out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar
from uuid import UUID

from schemas.results import Results
from schemas.samples import SampleBlock

State = TypeVar("State")


@dataclass(frozen=True, slots=True)
class Step(Generic[State]):
    """What one call decided, and the state to pass to the next."""

    results: Results
    state: State


class Engine(Protocol[State]):
    """A signal engine. No method reads a clock, does I/O or logs; none blocks; equal input gives equal bits.

    Blocks of a device come in index order and never overlap. A jump forward in `first_index` is a gap; a new
    `recording_id`, lead set or rate ends the device's previous recording (its pending beats and open episodes
    are decided in the same step). A device's results don't depend on block lengths, nor on other devices.
    State may be changed in place: the caller goes on with the one returned only.
    """

    version: str

    def new_state(self) -> State:
        """The state before any sample."""

    def step(self, blocks: Sequence[SampleBlock], state: State) -> Step[State]:
        """Take in blocks of any number of devices, give what they decide. Never raises on any sample values."""

    def close(self, device_ids: Sequence[UUID], state: State) -> Step[State]:
        """Decide what is pending of these devices, close their episodes, forget them. Unknown ids are skipped."""

    def copy(self, state: State) -> State:
        """A state that no later step changes, for dump() to take its time with."""

    def dump(self, state: State) -> bytes:
        """State as bytes (compressed, at most 4 KB per device and lead), exact: a loaded state goes on bit for bit."""

    def load(self, data: bytes) -> State:
        """The state `dump` wrote. Raises StateMismatch when the bytes are from another version."""


class StateMismatch(Exception):
    """Saved state of another engine or version; the caller re-reads context instead."""
