from __future__ import annotations

from typing import Any

from bench.pipeline.limit import find_limit, highest_held, why_not_held


def a_report(*, lost: int = 0, p99_s: float = 1.0, flat: bool = True) -> dict[str, Any]:
    parts = [{"p99_s": 9.0}] + [{"p99_s": p99_s}] * 9
    latency = {"metrics": {"parts": parts}, "beats": {"parts": parts}}
    return {"lost": lost, "latency": latency, "lag": {"stored": {"flat": flat, "slope": 0.1}}}


def test_a_slow_start_is_forgiven_and_all_else_is_told() -> None:
    assert why_not_held(a_report(), 2.0) == ""
    assert why_not_held(a_report(p99_s=3.0), 2.0) == "p99 of metrics 3 s"
    assert why_not_held(a_report(lost=5), 2.0) == "5 samples not stored in time"
    assert why_not_held(a_report(flat=False), 2.0) == "lag grows by 0.1 s each second"


def test_the_search_ends_close_below_what_breaks() -> None:
    steps = find_limit(lambda devices: a_report(p99_s=1.0 if devices <= 6100 else 5.0), 2500, 2500, 2.0)
    assert [step.devices for step in steps] == [2500, 5000, 7500, 6250, 5625]
    assert highest_held(steps) == 5625


def test_nothing_held_is_none_and_the_search_still_ends() -> None:
    steps = find_limit(lambda _: a_report(lost=1), 8, 8, 2.0)
    assert highest_held(steps) == 0
