"""What `leadwire audit` tells: the chain judged, and entries for people."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Final

from schemas.audit import AuditEntry
from schemas.pages import MAX_LIMIT, PageRequest
from schemas.settings import Settings
from storage import audit, audit_chain
from storage.audit import AuditFilter
from storage.audit_chain import Head, Verdict
from storage.database import writer

_COLUMNS: Final = ("entry", "at", "actor", "action", "subject", "patient_id", "address", "detail")


@dataclass(frozen=True, slots=True)
class Judged:
    """The verdict on the whole log, to be told."""

    verdict: Verdict

    def as_json(self) -> dict[str, object]:
        told = self.verdict
        return {
            "whole": told.problem is None,
            "entries": told.entries,
            "head": str(told.head),
            "wrong": told.wrong,
            "problem": told.problem,
        }

    def as_text(self) -> str:
        told = self.verdict
        if told.problem is None:
            return f"whole: {told.entries} entries\nhead {told.head}\nnote the head elsewhere; --head proves it later"
        remedy = "compare with a backup, and see who could write to the database as its owner"
        return f"BROKEN: {told.problem}; {remedy}\nwhole up to {told.head}"


async def judge_log(settings: Settings, noted: Head | None, told: Callable[[int], None] | None = None) -> Judged:
    """Compute the whole chain again. Raises Busy when the database is away."""
    database = writer(settings.database)
    await database.open()
    try:
        return Judged(await audit_chain.verify(database, noted, told))
    finally:
        await database.close()


async def find_entries(settings: Settings, wanted: AuditFilter, newest: int) -> list[AuditEntry]:
    """The newest entries that pass, oldest first. Raises Busy when the database is away."""
    database = writer(settings.database)
    await database.open()
    found: list[AuditEntry] = []
    try:
        async with database.transaction() as conn:
            after: str | None = None
            while len(found) < newest:
                page = await audit.list_entries(conn, wanted, PageRequest(1, min(MAX_LIMIT, newest), after))
                found += page.items
                after = page.next
                if after is None:
                    break
    finally:
        await database.close()
    return found[:newest][::-1]


def entry_json(entry: AuditEntry) -> dict[str, object]:
    """An entry as JSON takes it."""
    patient = None if entry.patient_id is None else str(entry.patient_id)
    return asdict(entry) | {"at": entry.at.isoformat(), "patient_id": patient}


def as_table(entries: Sequence[AuditEntry]) -> str:
    """The entries in columns, under a heading."""
    rows = [list(_COLUMNS), *([_cell(entry, name) for name in _COLUMNS] for entry in entries)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_COLUMNS))]
    lines = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows)
    return "\n".join([*lines, f"{len(entries)} entries"])


def _cell(entry: AuditEntry, name: str) -> str:
    value = entry.at.isoformat(timespec="seconds") if name == "at" else getattr(entry, name)
    return "-" if value is None else "".join(c if c.isprintable() else "?" for c in str(value))
