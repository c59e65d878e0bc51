"""Which rows of a disturbed run an undisturbed one has not, or has otherwise. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

Row: TypeAlias = Mapping[str, str]
"""A row's columns as text that is exact: repr of floats and moments."""

IDENTITIES: Final[Mapping[str, tuple[str, ...]]] = {
    "recordings": ("recording_id",),
    "recording_gaps": ("recording_id", "first_index"),
    "ecg_beats": ("recording_id", "r_index"),
    "ecg_metrics": ("device_id", "recorded_at"),
    "ecg_rhythms": ("recording_id", "first_r_index", "label"),
    "ecg_alarms": ("device_id", "kind", "began_at"),
}
"""The tables that are compared, and what makes two of their rows the same row (docs/tables.md)."""

NOT_COMPARED: Final = frozenset({"created_at", "first_at", "end_at", "longest", "clock_early_us", "clock_late_us"})
"""Columns that tell when a row was written, or hang on where stretches of samples were cut; two runs may differ."""


_EXAMPLES: Final = 3


@dataclass(frozen=True, slots=True)
class Differences:
    """Of one table: identities that either run knows, those that differ, and the first few of them in words."""

    compared: int
    differing: int
    examples: tuple[str, ...] = ()


def differences(identity: Sequence[str], calm: Sequence[Row], stormy: Sequence[Row]) -> Differences:
    """Compare two runs of the same signal; a row that stands twice under one identity differs from a single one."""
    wanted, found = _by_identity(identity, calm), _by_identity(identity, stormy)
    names = sorted(wanted.keys() | found.keys())
    differing = [name for name in names if wanted.get(name) != found.get(name)]
    told = tuple(_told(name, wanted.get(name, []), found.get(name, [])) for name in differing[:_EXAMPLES])
    return Differences(len(names), len(differing), told)


def _by_identity(identity: Sequence[str], rows: Sequence[Row]) -> dict[tuple[str, ...], list[list[tuple[str, str]]]]:
    known: dict[tuple[str, ...], list[list[tuple[str, str]]]] = {}
    for row in rows:
        name = tuple(row[column] for column in identity)
        known.setdefault(name, []).append(sorted(item for item in row.items() if item[0] not in NOT_COMPARED))
    return {name: sorted(same) for name, same in known.items()}


def _told(name: tuple[str, ...], calm: list[list[tuple[str, str]]], stormy: list[list[tuple[str, str]]]) -> str:
    if not calm or not stormy:
        return f"{name} is only in the {'disturbed' if stormy else 'undisturbed'} run"
    if len(calm) != len(stormy):
        return f"{name} stands {len(stormy)} times, undisturbed {len(calm)}"
    pairs = zip(calm[0], stormy[0], strict=True)
    changed = [f"{mine[0]} {yours[1]} instead of {mine[1]}" for mine, yours in pairs if mine != yours]
    more = f" and {len(changed) - _EXAMPLES} more" if len(changed) > _EXAMPLES else ""
    return f"{name}: {', '.join(changed[:_EXAMPLES])}{more}"
