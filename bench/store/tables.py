"""A run's JSON as tables for people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from bench.accuracy.pages import Part, Section
from bench.api.tables import Cell, table
from bench.store import month

_HEADINGS: Final = (
    "", "bits/sample", "M samples/s in", "window p50 ms", "p99 ms", "bulk M samples/s", "per core",
)  # fmt: skip


def section(told: Mapping[str, Any]) -> Iterator[Section]:
    """One for each part that was measured."""
    made_by = f"on {told['on']}, {told['cores']} cores, load {told['load_before']} before it, {told['seconds']:g} s"
    if "formats" in told:
        parts = [part for name, one in told["formats"].items() for part in _corpus(name, one)]
        yield Section("store-formats", f"`make bench-store WRITE=1` {made_by}", tuple(parts))
    if "sustained" in told:
        parts = list(_sustained(told["sustained"]))
        yield Section("store-sustained", f"`make bench-store PART=sustained WRITE=1` {made_by}", tuple(parts))
    if "skipped" not in told.get("month", {"skipped": ""}):
        one = told["month"]
        title = f"{one['users']:,} devices, a row every {one['cadence_s']} s, on {one['server']}, ms"
        yield Section("store-month", f"`make bench-store PART=month WRITE=1` {made_by}", (_month(title, one),))
    if "outages" in told:
        parts = list(_outages(told["outages"]))
        yield Section("store-outages", f"`make bench-store PART=outages WRITE=1` {made_by}", tuple(parts))


def _month(title: str, told: Mapping[str, Any]) -> Part:
    return Part(title, month.table(told["asked"]))


def _outages(told: Mapping[str, Any]) -> Iterator[Part]:
    rows = [
        (
            kind, "yes" if one["holds"] else "no", f"{one['samples']:,}", one["archived_hours"], one["expired_hours"],
            one["written_anew"], one["files"], one["bad_files"], one["stray_files"], _killed(one["archive_runs"]),
            one["archive_runs"]["finished"],
        )
        for kind, one in told.items()
        if "skipped" not in one
    ]  # fmt: skip
    yield Part("All samples read back, each once, by SHA-256", table(_PROOF, rows))
    faults = [
        (kind, fault["what"], fault["at_s"], fault["for_s"])
        for kind, one in told.items()
        for fault in one.get("faults", ())
    ]
    yield Part("What went away", table(("", "", "at s", "for s"), faults, words=2))


_PROOF: Final = (
    "", "holds", "samples", "archived hours", "expired", "written anew", "files", "bad", "stray",
    "archive killed, at work", "finished",
)  # fmt: skip


def _killed(runs: Mapping[str, Any]) -> str:
    return f"{runs['killed']}, {runs['killed_at_work']}"


def _sustained(told: Mapping[str, Any]) -> Iterator[Part]:
    ran = {kind: one for kind, one in told.items() if "skipped" not in one}
    rows = [
        (
            one["server"], one["seconds"], _rate(one, "beats"), _rate(one, "stretches"), one["p50_ms"], one["p99_ms"],
            one["max_ms"], one["slope_ms_per_s"], "yes" if one["holds"] else "no",
        )
        for one in ran.values()
    ]  # fmt: skip
    yield Part("5,000 devices live, the database on one core: how late what was due is committed", table(_PACE, rows))
    costs = [
        (
            one["server"], one["server_core"], one["writer_core"], one["wal_mb_per_s"], one["wal_mb_per_m_samples"],
            one["disk_mb_per_m_samples"], one["checkpoints"],
        )
        for one in ran.values()
    ]  # fmt: skip
    yield Part("What it costs, all tables together", table(_COSTS, costs))


_PACE: Final = ("", "s", "beats/s", "stretches/s", "p50 ms", "p99 ms", "longest ms", "slope ms/s", "holds")
_COSTS: Final = (
    "", "server's core", "writer's core", "WAL MB/s", "WAL MB per M samples", "disk MB per M samples", "checkpoints",
)  # fmt: skip


def _rate(one: Mapping[str, Any], rows: str) -> float:
    return float(round(one["rows"][rows] / one["seconds"]))


def _corpus(name: str, told: Mapping[str, Any]) -> Iterator[Part]:
    millions = f"{told['samples'] / 1e6:.1f} million samples of {told['records']} records"
    rows = [row for kind, one in told.get("databases", {}).items() for row in _database(kind, one)]
    rows += [_file(kind, one) for kind, one in told["files"].items()]
    if "atriumdb" in told:
        rows.append(_file(f"AtriumDB {told['atriumdb']['version']}", told["atriumdb"]))
    yield Part(f"{name}, {millions}", table(_HEADINGS, rows))
    served = [_served(kind, one) for kind, one in told.get("databases", {}).items() if "http" in one]
    if served:
        yield Part(f"{name}, windows of 10 s over HTTP, ms", table(_SERVED, served))
    limits = [row for kind, one in told.get("databases", {}).items() for row in _limits(kind, one)]
    if limits:
        yield Part(f"{name}, what it has to reach", table(("", "limit", "bound", "found", "met"), limits, words=2))
    taken = [_taken(kind, one) for kind, one in told.get("databases", {}).items()]
    if taken:
        yield Part(f"{name}, writing and bulk reads in seconds of wall and CPU", table(_TAKEN, taken))


_SERVED: Final = ("", "protobuf p50", "p99", "JSON p50", "p99", "api CPU each")
_TAKEN: Final = (
    "", "rows/s in", "wall in", "client CPU", "server CPU", "wall out", "client CPU", "server CPU",
    "index %", "TOAST %",
)  # fmt: skip


def _database(kind: str, told: Mapping[str, Any]) -> Iterator[tuple[Cell, ...]]:
    name = f"Leadwire on {told['server']}"
    yield name, *_figures(told["at_rest"], told["write"]["m_samples_per_s"], told)
    if "columnstore" in told:
        yield f"{name}, columnstore", *_figures(told["columnstore"]["at_rest"], None, told["columnstore"])


def _figures(rest: Mapping[str, Any], written: float | None, told: Mapping[str, Any]) -> tuple[Cell, ...]:
    windows, bulk = told["windows"], told["bulk"]
    return (
        rest["bits_per_sample"], written, windows["p50_ms"], windows["p99_ms"], bulk["m_samples_per_s"],
        bulk["m_samples_per_client_core_s"],
    )  # fmt: skip


def _file(name: str, told: Mapping[str, Any]) -> tuple[Cell, ...]:
    return (
        name, told["bits_per_sample"], told["write_m_samples_per_s"], told["windows"]["p50_ms"],
        told["windows"]["p99_ms"], told["bulk_m_samples_per_s"], told["bulk_m_samples_per_core_s"],
    )  # fmt: skip


def _served(kind: str, told: Mapping[str, Any]) -> tuple[Cell, ...]:
    packed, text = told["http"]["protobuf"], told["http"]["json"]
    return kind, packed["p50_ms"], packed["p99_ms"], text["p50_ms"], text["p99_ms"], packed["api_cpu_ms_each"]


def _limits(kind: str, told: Mapping[str, Any]) -> Iterator[tuple[Cell, ...]]:
    for one in told["limits"]:
        met = "yes" if one["met"] else f"no, by {one['short_by_percent']:g} %"
        yield kind, one["limit"], one["bound"], one["found"], met


def _taken(kind: str, told: Mapping[str, Any]) -> tuple[Cell, ...]:
    written, read, rest = told["write"], told["bulk"], told["at_rest"]
    shares = (round(100 * rest[f"{part}_bytes"] / rest["bytes"], 1) for part in ("index", "toast"))
    return (
        kind, written["rows_per_s"], written["wall_s"], written["client_cpu_s"], written["server_cpu_s"],
        read["wall_s"], read["client_cpu_s"], read["server_cpu_s"], *shares,
    )  # fmt: skip
