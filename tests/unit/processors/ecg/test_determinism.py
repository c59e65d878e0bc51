"""The fast engine's results are the same bit for bit, however samples come, among whom, and across a saved state."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from uuid import UUID

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from processors.ecg.engine import FastEngine
from schemas.results import Results
from schemas.samples import MISSING, Lead, SampleBlock

from .signals import TWELVE, Output, cut, ecg, every, many_leads, of_device, regular, run, usual_leads

ENGINE = FastEngine()
RATES_HZ = (100.0, 128.0, 250.0, 257.0, 360.0, 500.0, 1000.0)
LEADS = (1, 2, 3, 12)
DEVICES = 5_000
_slow = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])

Cut = Callable[[int], Sequence[int]]
"""From the number of samples of a part to the edges of its blocks."""


@dataclass(frozen=True)
class Part:
    """What a device sends without a gap: (leads, count) from recording index `first`, its clock `ahead_us`."""

    samples: NDArray[np.int16]
    leads: tuple[Lead, ...]
    first: int
    ahead_us: int = 0


@cache
def eventful(rate_hz: float, leads: int) -> tuple[Part, ...]:
    """A minute and a half with all that happens to a recording.

    Broad beats; one lead missing for 2 s, all leads for 60 ms and for 1.5 s; a gap of 0.33 s; a clock that moves by
    60 ms; a gap of 40 s, after which levels are learned anew; other leads, which end the recording.
    """
    beats = regular(83, 50)
    rows = many_leads(ecg(beats, 50, rate_hz, wide=range(5, len(beats), 9)), leads)
    for lead, from_s, to_s in ((slice(1), 10, 12), (slice(None), 15, 15.06), (slice(None), 16, 17.5)):
        rows[lead, int(from_s * rate_hz) : int(to_s * rate_hz)] = MISSING
    names, others = usual_leads(leads), TWELVE[-leads:]
    stretches = ((0, 20, 0, 0, names), (20, 30, 0.33, 0, names), (30, 36, 0.33, 60_000, names),
                 (36, 44, 40, 60_000, names), (44, 50, 40, 60_000, others[::-1]))  # fmt: skip
    return tuple(
        Part(rows[:, int(low * rate_hz) : int(high * rate_hz)], each, int((low + gap) * rate_hz), ahead_us)
        for low, high, gap, ahead_us, each in stretches
    )


def blocks_of(parts: Iterable[Part], rate_hz: float, edges: Cut) -> list[SampleBlock]:
    return [
        block
        for part in parts
        for block in cut(
            part.samples,
            edges(part.samples.shape[1]),
            rate_hz=rate_hz,
            leads=part.leads,
            first=part.first,
            ahead_us=part.ahead_us,
        )
    ]


def steadily(size: int) -> Cut:
    return lambda count: [*range(0, count, size), count]


def at_shares(shares: Sequence[float]) -> Cut:
    return lambda count: sorted({0, count, *(int(share * count) for share in shares)})


@cache
def in_minutes(rate_hz: float, leads: int) -> Output:
    """What comes of it in blocks of up to 60 s: a block a part."""
    return run(ENGINE, blocks_of(eventful(rate_hz, leads), rate_hz, steadily(round(60 * rate_hz))))


@pytest.mark.parametrize("leads", LEADS)
@pytest.mark.parametrize("rate_hz", RATES_HZ)
def test_block_length_changes_no_bit(rate_hz: float, leads: int) -> None:
    whole = in_minutes(rate_hz, leads)
    assert len(whole.beats) > 40
    assert len(whole.metrics) > 40
    for block_s in (0.04, 1.0):
        blocks = blocks_of(eventful(rate_hz, leads), rate_hz, steadily(round(block_s * rate_hz)))
        assert run(ENGINE, blocks).bits == whole.bits


@_slow
@given(
    st.sampled_from(RATES_HZ),
    st.sampled_from(LEADS),
    st.lists(st.floats(0, 1), max_size=12),
    st.sets(st.integers(0, 60), max_size=4),
    st.integers(1, 5),
)
def test_neither_cuts_nor_steps_nor_saved_states_change_a_bit(
    rate_hz: float, leads: int, shares: list[float], saved: set[int], per_step: int
) -> None:
    blocks = blocks_of(eventful(rate_hz, leads), rate_hz, at_shares(shares))
    state = ENGINE.new_state()
    results = []
    for number, at in enumerate(range(0, len(blocks), per_step)):
        results.append(ENGINE.step(blocks[at : at + per_step], state).results)
        if number in saved:
            state = ENGINE.load(ENGINE.dump(state))
    results.append(ENGINE.close([UUID(int=1)], state).results)
    assert of_device(results).bits == in_minutes(rate_hz, leads).bits


def test_single_samples_change_no_bit() -> None:
    samples = many_leads(ecg(regular(83, 8), 8), 2)
    assert run(ENGINE, every(1, samples), per_step=50).bits == run(ENGINE, every(2000, samples)).bits


def test_a_state_saved_twice_is_the_same_and_saving_changes_nothing() -> None:
    state = ENGINE.new_state()
    blocks = blocks_of(eventful(250.0, 3), 250.0, steadily(250))
    ENGINE.step(blocks[:12], state)
    saved = ENGINE.dump(state)
    assert ENGINE.dump(state) == saved
    assert ENGINE.dump(ENGINE.load(saved)) == saved


def test_five_thousand_devices_change_no_bit_of_one_another() -> None:
    """Eight signals, each of 625 devices, in ever another order, a third ended and begun anew, saved on the way."""
    kinds = [short_recording(number) for number in range(8)]
    alone = [run(ENGINE, blocks) for blocks in kinds]
    order = list(range(1, DEVICES + 1))
    chance = random.Random(5)  # noqa: S311 - a fixed order, nothing secret
    state = ENGINE.new_state()
    ENGINE.step([owned(kinds[d % 8][0], d) for d in order[::3]], state)
    results = []
    for second in range(len(kinds[0])):
        chance.shuffle(order)
        if second == 0:
            ENGINE.close([UUID(int=d) for d in order], state)
        results.append(ENGINE.step([owned(kinds[d % 8][second], d) for d in order], state).results)
        if second == 2:
            state = ENGINE.load(ENGINE.dump(state))
    results.append(ENGINE.close([UUID(int=d) for d in order], state).results)
    outputs = by_device(results)
    assert len(outputs) == DEVICES
    assert [d for d, output in outputs.items() if output.bits != alone[d % 8].bits] == []


def short_recording(number: int) -> list[SampleBlock]:
    """Five seconds in blocks of one: another rate, rhythm and number of leads for each number."""
    rate_hz = RATES_HZ[number % len(RATES_HZ)]
    lead = ecg(regular(60 + 12 * number, 5), 5, rate_hz)
    return every(round(rate_hz), many_leads(lead, (1, 1, 2, 1, 3, 1, 1, 12)[number]), rate_hz=rate_hz)


def owned(block: SampleBlock, device: int) -> SampleBlock:
    return replace(block, device_id=UUID(int=device))


def by_device(results: Iterable[Results]) -> dict[int, Output]:
    """What of_device gives, of every device at once."""
    tables: dict[int, list[list[NDArray[np.void]]]] = {}
    for result in results:
        devices = [source.device_id.int for source in result.sources]
        for kind, rows in enumerate((result.beats, result.metrics, result.episodes)):
            ordered = rows[np.argsort(rows["source"], kind="stable")]
            edges = np.searchsorted(ordered["source"], range(len(devices) + 1))
            ordered["source"] = 0
            for device, low, high in zip(devices, edges, edges[1:], strict=False):
                tables.setdefault(device, [[], [], []])[kind].append(ordered[low:high])
    return {device: Output(*(np.concatenate(parts) for parts in kinds)) for device, kinds in tables.items()}
