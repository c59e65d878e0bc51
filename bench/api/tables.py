"""A run's JSON as tables for people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from bench.accuracy import tables
from bench.accuracy.pages import Part

Cell = str | float | None


def parts(told: Mapping[str, Any]) -> Iterator[Part]:
    """One table for each part that was measured."""
    if "lists" in told:
        yield Part("Every list and latest endpoint, ms", _lists(told["lists"]["rows"]))
    if "logins" in told:
        yield Part("Login beside Argon2 alone, on the same core, ms", _logins(told["logins"]))
    if "mixed" in told:
        yield Part(f"{told['mixed']['rate_per_s']:g} requests/s of all kinds on one core", _mixed(told["mixed"]))
    if "abuse" in told:
        yield Part("A user beside 2,000 bad requests a second", _abuse(told["abuse"]))


def table(headings: Sequence[str], rows: Sequence[Sequence[Cell]], words: int = 1) -> str:
    """In Markdown; nothing is an empty cell."""
    told = [["" if cell is None else cell if isinstance(cell, str) else f"{cell:g}" for cell in row] for row in rows]
    return tables.table(headings, told, words)


def _lists(rows: Sequence[Mapping[str, Any]]) -> str:
    head = ("endpoint", "asked by", "rows", "p50", "p95", "p99", "peer p50", "peer p95", "times as fast", "same rows")
    same = {True: "yes", False: "no", None: ""}
    return table(
        head,
        [
            (
                f"`{row['endpoint']}`", row["role"], row["total"], row["p50_ms"], row["p95_ms"], row["p99_ms"],
                row.get("peer", {}).get("p50_ms"), row.get("peer", {}).get("p95_ms"), row.get("times_as_fast"),
                same[row.get("same_rows")],
            )
            for row in rows
        ],
        words=2,
    )  # fmt: skip


def _logins(told: Mapping[str, Any]) -> str:
    alone = told["argon2_alone"]
    return table(
        ("", "p50", "p95", "p99"),
        [
            ("login", told["p50_ms"], told["p95_ms"], told["p99_ms"]),
            ("Argon2 alone", alone["p50_ms"], alone["p95_ms"], alone["p99_ms"]),
            ("over it", told["over_argon2_p50_ms"], told["over_argon2_p95_ms"], ""),
        ],
    )


def _mixed(told: Mapping[str, Any]) -> str:
    row = (
        told["requests"], told["errors"], told["p50_ms"], told["p95_ms"], told["p99_ms"],
        told["server_cpu_ms_per_request"], _statuses(told),
    )  # fmt: skip
    return table(("requests", "errors", "p50 ms", "p95 ms", "p99 ms", "CPU ms each", "statuses"), [row])


def _abuse(told: Mapping[str, Any]) -> str:
    rows = [
        (name, one["requests"], one.get("p50_ms"), one.get("p95_ms"), one.get("p99_ms"), _statuses(one))
        for name, one in (
            ("the user, alone", told["normal_alone"]),
            ("the user, beside it", told["normal"]),
            ("the abuse", told["abuse"]),
        )
    ]
    return table(("", "requests", "p50 ms", "p95 ms", "p99 ms", "statuses"), rows)


def _statuses(told: Mapping[str, Any]) -> str:
    return ", ".join(f"{status}: {count}" for status, count in told["statuses"].items())
