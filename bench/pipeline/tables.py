"""A run's JSON as tables for people."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

Cell = str | float | int | None


def run_table(told: Mapping[str, Any]) -> str:
    """Latency, lag, memory, CPU, ledger and limit of a run."""
    cpu, latency = told["cpu"], told["latency"]
    return "\n\n".join(
        (
            f"{told['devices']} devices x {told['rate_hz']} Hz, {told['seconds']} s, {told['samples'] / 1e6:.1f} M "
            f"samples, broker {told['settings']['broker']}; lost {told['lost']}, doubled {told['duplicates']}",
            table(
                ("seconds until stored", "count", "p50", "p95", "p99", "max", "p99 in ten parts"),
                [_latency_row(f"{name}, from {latency[name]['from']}", latency[name]) for name in ("metrics", "beats")],
            ),
            table(
                ("process", "CPU s per M samples", "% of a core", "MiB first third", "last third", "growth %", "flat"),
                [_process_row(name, cpu["processes"][name], told["memory"]["processes"]) for name in cpu["processes"]]
                + [("together", cpu["sum"]["per_million_samples_s"], _percent(cpu["sum"]["core"]), "", "", "", "")],
            ),
            "\n".join(_lag_line(name, lag) for name, lag in told["lag"].items()),
            f"machine {_percent(cpu['machine_busy'])} % busy, others {cpu['others_cpu_s']} CPU s; "
            f"limit: {told['limit']}",
        )
    )


def limit_table(told: Mapping[str, Any]) -> str:
    """The steps on the way to the highest rate that is held, and each run's tables."""
    rows = [
        (
            str(step["devices"]),
            step["latency"]["metrics"]["p99_s"],
            step["latency"]["beats"]["p99_s"],
            _percent(step["cpu"]["sum"]["core"]),
            step["why_not"] or "held",
            step["limit"],
        )
        for step in told["steps"]
    ]
    head = ("devices", "p99 metrics", "p99 beats", "% of a core, together", "", "limit")
    return f"held: {told['held_devices']} devices ({told['rule']})\n\n{table(head, rows)}"


def soak_table(told: Mapping[str, Any]) -> str:
    """Restarts, lives and the ledger of a soak."""
    flat = {True: "yes", False: "no", None: "-"}
    lives = [
        (
            f"{life['process']} {life['pid']}",
            life["from_s"],
            life["to_s"],
            life["first_third"],
            life["last_third"],
            _percent(life["growth"]),
            flat[life["flat"]],
        )
        for life in told["lives"]
    ]
    latency = told["latency"]
    return "\n\n".join(
        (
            f"{told['devices']} devices, {told['seconds']} s, seed {told['seed']}, {told['samples'] / 1e6:.1f} M "
            f"samples; lost {told['lost']}, doubled {told['duplicates']}; "
            f"memory {'flat' if told['flat'] else 'not flat'}",
            table(
                ("restart", "at s", "ran again after s"),
                [(each["kind"], each["at_s"], each["took_s"]) for each in told["restarts"]],
            ),
            table(("life", "from s", "to s", "MiB first third", "last third", "growth %", "flat"), lives),
            table(
                ("seconds until stored", "count", "p50", "p95", "p99", "max", "p99 in ten parts"),
                [_latency_row(f"{name}, from {latency[name]['from']}", latency[name]) for name in ("metrics", "beats")],
            ),
        )
    )


def peers_table(told: Mapping[str, Any]) -> str:
    """Cost and latency of each contestant, and how many times ours it is."""
    rows = [
        (
            name,
            str(each["devices"]),
            each["cpu"]["processes"]["worker"]["per_million_samples_s"],
            each["cpu"]["worker_devices_per_core"],
            each["latency"]["metrics"]["p99_s"],
            each["latency"]["beats"]["p99_s"],
            told["ratios"][name]["worker"],
            told["ratios"][name]["all but the load"],
            each["lost"],
        )
        for name, each in told["contestants"].items()
    ]
    head = (
        "", "devices", "worker CPU s per M samples", "devices per core", "p99 metrics", "p99 beats",
        "worker, times ours", "all but the load, times ours", "lost",
    )  # fmt: skip
    return f"{told['seconds']} s each, broker {told['broker']}\n\n{table(head, rows)}"


def table(head: Sequence[str], rows: Iterable[Sequence[Cell]]) -> str:
    """Columns as wide as their widest cell; the first to the left, figures to the right."""
    text = [list(head), *([_cell(cell) for cell in row] for row in rows)]
    widths = [max(len(row[n]) for row in text) for n in range(len(head))]
    lines = [
        [c.ljust(w) if n == 0 else c.rjust(w) for n, (c, w) in enumerate(zip(r, widths, strict=True))] for r in text
    ]
    lines.insert(1, ["-" * width for width in widths])
    return "\n".join("  ".join(line).rstrip() for line in lines)


def _latency_row(name: str, told: Mapping[str, Any]) -> tuple[Cell, ...]:
    parts = " ".join(_cell(part["p99_s"]) for part in told["parts"])
    return (name, told["count"], told["p50_s"], told["p95_s"], told["p99_s"], told["max_s"], parts)


def _process_row(name: str, cpu: Mapping[str, Any], memory: Mapping[str, Any]) -> tuple[Cell, ...]:
    held = memory.get(name, {})
    return (
        name,
        cpu["per_million_samples_s"],
        _percent(cpu["core"]),
        held.get("first_third"),
        held.get("last_third"),
        _percent(held.get("growth")),
        {True: "yes", False: "no", None: "-"}[held.get("flat")],
    )


def _lag_line(name: str, lag: Mapping[str, Any]) -> str:
    flat = {True: "flat", False: "not flat", None: "too short to say"}[lag["flat"]]
    return (
        f"lag of {name}: {flat}; seconds behind: first third {lag['first_third']}, last third {lag['last_third']}, "
        f"most {lag['most']}, slope {lag['slope']}"
    )


def _percent(share: float | None) -> float | None:
    return None if share is None else round(100 * share, 1)


def _cell(cell: Cell) -> str:
    if cell is None:
        return "-"
    return f"{cell:.4g}" if isinstance(cell, float) and abs(cell) < 10_000 else str(cell)
