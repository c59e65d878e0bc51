"""What a run says, as one JSON object: latency, lag, memory, CPU, disk, the ledger, and what limits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, Final

import numpy as np
import psutil

from bench.pipeline.flatness import (
    COMMIT_MARGIN_S,
    LAG_GROWTH_S,
    MEMORY_GROWTH,
    MEMORY_JUDGED_S,
    MEMORY_WARM_UP_S,
    Series,
    Verdict,
    commit_verdict,
    lag_verdict,
    memory_verdict,
)
from bench.pipeline.latency import LAST_S, summary
from bench.pipeline.run import Measured
from bench.pipeline.sampler import EVERY_S, memory_of
from bench.pipeline.wire import RATE_HZ

WARM_UP_S: Final = 10.0
MEBI: Final = 2**20
FULL_CORE, FULL_MACHINE = 0.85, 0.85
"""A single-threaded process above the first share of a core, or a machine above the second, has no room left."""


def report(measured: Measured) -> dict[str, Any]:
    """Everything, in plain JSON values."""
    cpu = cpu_report(measured)
    return {
        "devices": measured.devices,
        "seconds": measured.seconds,
        "rate_hz": RATE_HZ,
        "samples": measured.ledger.acknowledged,
        "samples_per_s": round(measured.ledger.acknowledged / measured.seconds),
        "lost": measured.ledger.lost,
        "duplicates": measured.ledger.duplicates,
        "settled_s": round(measured.settled_s, 1),
        "latency": latency_report(measured),
        "lag": lag_report(measured),
        "memory": memory_report(measured),
        "cpu": cpu,
        "limit": limit(cpu),
        "disk": disk_report(measured),
        "load": {"latest_s": round(measured.load.latest_s, 3), "retries": measured.load.retries},
        "settings": dict(measured.settings),
    }


def latency_report(measured: Measured) -> dict[str, Any]:
    begin_us = measured.load.began_us
    end_us = begin_us + measured.seconds * 1_000_000
    expected = measured.ledger.acknowledged // RATE_HZ
    metrics = summary(measured.metrics, begin_us, end_us)
    return {
        "metrics": {"from": "the last sample of the second", "expected": expected, **metrics},
        "beats": {"from": "the R peak", **summary(measured.beats, begin_us, end_us)},
        "until": "stored: results are published right after their commit, and the record is stamped then",
        "left_out": f"the last {LAST_S:g} s of the stream",
    }


def lag_report(measured: Measured) -> dict[str, Any]:
    """Twice: by what is stored, partition by partition, and by the offsets that are committed."""
    return {"stored": stored_lag(measured), "committed": committed_lag(measured)}


def stored_lag(measured: Measured) -> dict[str, Any]:
    """Every 5 s of the run, less WARM_UP_S, the age of the newest second stored, where it is oldest."""
    at_s = np.arange(WARM_UP_S, measured.seconds + 0.1, EVERY_S)
    late_s = measured.metrics.behind_s(list(measured.load.began_us + at_s * 1e6)) if measured.metrics.at_us.size else []
    behind = Series([float(a) for a in at_s[: len(late_s)]], late_s)
    return {
        "of": "the newest second of metrics stored, of the partition where it is oldest",
        "rule": f"flat: seconds behind grow by at most {LAG_GROWTH_S:g} over the run, by a straight line",
        **verdict_json(lag_verdict(behind)),
        "samples": [[a, round(v, 2)] for a, v in _pairs(behind)],
    }


def committed_lag(measured: Measured) -> dict[str, Any]:
    """Committed offsets follow the checkpoints, so seconds behind saw between 0 and their interval."""
    interval_s = float(measured.settings["worker"]["checkpoint_interval_s"])
    # Before the first commits there is nothing to be behind of but the beginning.
    seen = [b for b in measured.sampler.behind if measured.began_s + interval_s < b[0] <= measured.ended_s]
    behind = Series([at_s for at_s, _, _ in seen], [seconds for _, _, seconds in seen])
    return {
        "of": "committed offsets against the ends of the partitions",
        "rule": f"flat: never over the checkpoint interval and {COMMIT_MARGIN_S:g} s, {interval_s + COMMIT_MARGIN_S:g}",
        **verdict_json(commit_verdict(behind, interval_s)),
        "records_most": max((records for _, records, _ in seen), default=None),
        "samples": [[round(at_s - measured.began_s, 1), records, round(s, 2)] for at_s, records, s in seen],
    }


def memory_report(measured: Measured) -> dict[str, Any]:
    lives = dict.fromkeys(each.watched for each in measured.sampler.processes)
    told = {}
    for watched in lives:
        held = memory_of(measured.sampler.processes, watched, measured.began_s, measured.ended_s)
        told[watched.name] = {
            "of": "PSS of the tree" if watched.is_tree else "RSS",
            **verdict_json(memory_verdict(held), MEBI),
            "samples_mib": [[round(a - measured.began_s, 1), round(v / MEBI, 1)] for a, v in _pairs(held)],
        }
    return {
        "rule": f"flat: the median of the last third <= {1 + MEMORY_GROWTH:g} times that of the first, {_JUDGED}",
        "unit": "MiB",
        "note": _TANSU if measured.settings["broker"] == "tansu" else "",
        "processes": told,
    }


_JUDGED: Final = f"{MEMORY_WARM_UP_S:g} s of warm-up left out, null when under {MEMORY_JUDGED_S:g} s are then left"
_TANSU: Final = "Tansu keeps every record in memory and drops none: it must grow by what it is sent"


def cpu_report(measured: Measured) -> dict[str, Any]:
    spent, millions = measured.spent, measured.ledger.acknowledged / 1e6
    seconds = {n: told.cpu_s - spent.before[n].cpu_s for n, told in spent.after.items() if n in spent.before}
    seconds["load"] = measured.load.cpu_s
    busy_s = spent.machine_after.busy_s - spent.machine_before.busy_s
    all_s = spent.machine_after.all_s - spent.machine_before.all_s
    return {
        "cores": psutil.cpu_count(),
        "processes": {name: _cpu(value, millions, measured.seconds) for name, value in seconds.items()},
        "sum": _cpu(sum(seconds.values()), millions, measured.seconds),
        "machine_busy": round(busy_s / all_s, 3) if all_s else None,
        "machine_waiting": round((spent.machine_after.waiting_s - spent.machine_before.waiting_s) / all_s, 3),
        "others_cpu_s": round(busy_s - sum(seconds.values()), 1),
        "load_ms_per_device_second": round(1000 * measured.load.cpu_s / max(1, millions * 1e6 / RATE_HZ), 4),
        "worker_devices_per_core": _ratio(measured.ledger.acknowledged / RATE_HZ, seconds.get("worker", 0.0)),
    }


def _cpu(seconds: float, millions: float, run_s: int) -> dict[str, float | None]:
    """`core`: the share of one core while the load ran."""
    return {
        "cpu_s": round(seconds, 2),
        "per_million_samples_s": _ratio(seconds, millions, 4),
        "core": round(seconds / run_s, 3),
    }


def limit(cpu: Mapping[str, Any]) -> str:
    """What gives way first, as far as CPU time tells it."""
    shares = {name: told["core"] for name, told in cpu["processes"].items()}
    greatest = max(shares, key=lambda name: shares[name])
    machine = cpu["sum"]["core"] / cpu["cores"]
    if shares.get("worker", 0) >= FULL_CORE:
        return f"the worker's core: {shares['worker']:.0%} of it; a second worker would share the partitions"
    if machine >= FULL_MACHINE or (cpu["machine_busy"] or 0) >= FULL_MACHINE:
        return (
            f"the machine's {cpu['cores']} cores, {machine:.0%} ours; the {greatest} takes most, {shares[greatest]:.0%}"
        )
    return (
        f"nothing yet: {machine:.0%} of {cpu['cores']} cores; the {greatest} takes most, {shares[greatest]:.0%} of one"
    )


def disk_report(measured: Measured) -> dict[str, Any]:
    millions = measured.ledger.acknowledged / 1e6
    spent = measured.spent
    written = {n: told.written_bytes - spent.before[n].written_bytes for n, told in spent.after.items()}
    return {
        "wal_bytes_per_million_samples": _ratio(measured.disk.wal_bytes, millions, 0),
        "database_bytes_per_million_samples": _ratio(measured.disk.database_bytes, millions, 0),
        "written_bytes_per_million_samples": {name: _ratio(value, millions, 0) for name, value in written.items()},
    }


def verdict_json(verdict: Verdict, unit: float = 1.0) -> dict[str, Any]:
    """A verdict, its figures divided by `unit`; NaN becomes None."""
    figures = {name: value for name, value in asdict(verdict).items() if name != "flat"}
    scaled = {name: value if name == "growth" else value / unit for name, value in figures.items()}
    return {"flat": verdict.flat, **{n: round(v, 4) if v == v else None for n, v in scaled.items()}}  # noqa: PLR0124  # NaN alone differs from itself


def _pairs(series: Series) -> list[tuple[float, float]]:
    return list(zip(series.at_s, series.values, strict=True))


def _ratio(a: float, b: float, digits: int = 1) -> float | None:
    return round(a / b, digits) if b else None
