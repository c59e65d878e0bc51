"""The watchdog tells a partition that stands still from one that is slow, busy or empty."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import REGISTRY

from processors.lag import LOOK_EVERY_S, Position, Progress, Watchdog
from schemas.errors import Busy
from schemas.settings import KafkaSettings, WorkerSettings

AFTER_S = 60.0


class Clock:
    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


def watchdog(clock: Clock) -> Watchdog:
    worker = WorkerSettings.model_validate({"stalled_after_s": AFTER_S})
    return Watchdog(KafkaSettings.model_validate({"bootstrap": "kafka:9092"}), worker, 4, clock)


@pytest.mark.parametrize(
    ("looks", "stalled"),
    [
        ([(0, 5, 10), (60, 5, 20)], True),
        ([(0, 5, 10), (59, 5, 20)], False),
        ([(0, 5, 10), (50, 6, 20), (60, 6, 20)], False),
        ([(0, 10, 10), (60, 10, 10)], False),
        ([(0, 10, 10), (50, 10, 11), (60, 10, 12)], False),
        ([(0, 5, 10), (30, 10, 10), (60, 10, 11)], False),
        ([(0, 10, 3), (60, 10, 3)], False),
        ([(0, 9, 10), (30, 3, 10), (60, 3, 10)], False),
    ],
    ids=["still", "not-yet", "slow", "empty", "only-now-has-records", "caught-up-between", "made-anew", "set-back"],
)
def test_a_partition_stalls_when_records_wait_and_its_offset_has_not_moved(
    looks: list[tuple[float, int, int]], stalled: bool
) -> None:
    progress = Progress()
    for at_s, committed, end in looks:
        progress.look({3: Position(committed, end)}, at_s)
    assert bool(progress.stalled(looks[-1][0], AFTER_S)) is stalled


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=30))
def test_stalled_is_what_the_whole_history_says(moves: list[tuple[int, int]]) -> None:
    """Compared with the definition, looked up in the history of one look each 10 s."""
    progress, history, committed, end = Progress(), [], 0, 0
    for taken, came in moves:
        end += came
        committed = min(end, committed + taken)
        history.append((committed, end))
        progress.look({0: Position(committed, end)}, 10.0 * len(history))
    same = 0
    for before in reversed(history):
        if before[0] != committed or before[0] == before[1]:
            break
        same += 1
    assert progress.stalled_s(0, 10.0 * len(history)) == max(0, same - 1) * 10.0


async def test_a_worker_is_ready_until_a_partition_stands_still_and_again_when_it_moves() -> None:
    clock = Clock()
    dog = watchdog(clock)
    for _ in range(13):
        dog.take({1: Position(7, 9), 2: Position(int(clock.now_s), 5000)})
        clock.now_s += LOOK_EVERY_S
    with pytest.raises(Busy, match=r"no progress for 60 s on partitions of ecg.samples: 1 \(at 7, 2 behind\); read .*"):
        await dog.ready()
    dog.take({1: Position(8, 9)})
    await dog.ready()


async def test_a_watchdog_that_kafka_does_not_answer_is_not_ready() -> None:
    clock = Clock()
    dog = watchdog(clock)
    clock.now_s += AFTER_S
    await dog.ready()
    clock.now_s += LOOK_EVERY_S
    with pytest.raises(Busy, match="has not told the group's offsets for 65 s; see that the broker at kafka:9092 runs"):
        await dog.ready()


def test_prometheus_sees_lag_and_standstill() -> None:
    clock = Clock()
    dog = watchdog(clock)
    dog.take({3: Position(5, 12)})
    clock.now_s += 8
    dog.take({3: Position(5, 15)})
    assert REGISTRY.get_sample_value("leadwire_lag_records", {"partition": "3"}) == 10
    assert REGISTRY.get_sample_value("leadwire_stalled_seconds", {"partition": "3"}) == 8
