"""The audit log's chain: computed again, independently of the database, and judged."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from schemas.audit import AuditEntry
from schemas.clock import to_us
from schemas.errors import Malformed
from storage import audit
from storage.database import Database

NO_HASH: Final = "00" * 32
"""What entry 1 holds as the hash of the entry before it."""

_PORTION: Final = 5_000
_HEAD: Final = re.compile(r"(\d{1,18}):([0-9a-f]{64})")


@dataclass(frozen=True, slots=True)
class Head:
    """An entry and its hash: noted elsewhere, it proves that nothing up to it was changed or cut off."""

    entry: int
    hash: str

    def __str__(self) -> str:
        return f"{self.entry}:{self.hash}"


@dataclass(frozen=True, slots=True)
class Verdict:
    """`entries` hold together, the last of them is `head`; `problem` is None, or says what is wrong with `wrong`."""

    entries: int
    head: Head
    wrong: int | None = None
    problem: str | None = None


START: Final = Verdict(0, Head(0, NO_HASH))


def parse_head(text: str) -> Head:
    """`ENTRY:HASH` as verify prints it. Raises Malformed."""
    match = _HEAD.fullmatch(text.strip().lower())
    if match is None:
        raise Malformed(f"{text[:80]!r} is no head; give ENTRY:HASH as `leadwire audit verify` printed it")
    return Head(int(match[1]), match[2])


def line_hash(line: AuditEntry) -> str:
    """SHA-256 in hex over the line's fields and the hash before it, as 0010_audit.sql says it in SQL."""
    fields = (
        line.previous_hash,
        str(line.entry),
        str(line.audit_id),
        str(to_us(line.at)),
        line.actor,
        line.action,
        line.subject,
        line.address,
        None if line.patient_id is None else str(line.patient_id),
        line.detail,
    )
    return hashlib.sha256(b"".join(_field(field) for field in fields)).hexdigest()


def _field(value: str | None) -> bytes:
    if value is None:
        return b"\0"
    data = value.encode()
    return b"\1" + len(data).to_bytes(4, "big") + data


def judge(so_far: Verdict, lines: Sequence[AuditEntry], noted: Head | None = None) -> Verdict:
    """The verdict after `lines`, which follow those judged before; at the first problem it stands still."""
    for line in lines:
        if so_far.problem is not None:
            return so_far
        so_far = _after(so_far, line, noted)
    return so_far


def _after(so_far: Verdict, line: AuditEntry, noted: Head | None) -> Verdict:
    expected = so_far.entries + 1
    problem = None
    if line.entry > expected:
        problem = f"entry {expected} is missing: {line.entry} follows {so_far.entries}"
    elif line.entry < expected:
        problem = f"entry {line.entry} is there twice"
    elif line.previous_hash != so_far.head.hash:
        problem = f"entry {expected} does not follow the entry before it: its previous_hash is another one"
    elif line_hash(line) != line.hash:
        problem = f"entry {expected} was changed: its hash is not that of its fields"
    elif noted is not None and noted.entry == expected and noted.hash != line.hash:
        problem = f"entry {expected} is not the one that was noted: the log was written anew at or before it"
    if problem is not None:
        return Verdict(so_far.entries, so_far.head, min(expected, line.entry), problem)
    return Verdict(expected, Head(expected, line.hash))


def conclude(so_far: Verdict, count: int, noted: Head | None) -> Verdict:
    """The verdict on the whole log, of which `count` lines are numbered up to the head."""
    if so_far.problem is not None:
        return so_far
    if noted is not None and noted.entry > so_far.entries:
        problem = f"entry {so_far.entries + 1} is missing: the log was cut off, {noted.entry} was noted"
        return Verdict(so_far.entries, so_far.head, so_far.entries + 1, problem)
    if count != so_far.entries:
        problem = f"{count} lines are numbered up to {so_far.entries}: some stand beside the chain"
        return Verdict(so_far.entries, so_far.head, so_far.entries, problem)
    return so_far


async def verify(
    database: Database,
    noted: Head | None = None,
    told: Callable[[int], None] | None = None,
    portion: int = _PORTION,
) -> Verdict:
    """Read the log from its beginning, `portion` lines at a time, and judge it; `told` hears how far it has come.

    What is appended meanwhile is judged too. Raises Busy when the database is away.
    """
    verdict = START
    while verdict.problem is None:
        async with database.transaction() as conn:
            lines = await audit.entries_after(conn, verdict.entries, portion)
        verdict = judge(verdict, lines, noted)
        if told is not None:
            told(verdict.entries)
        if len(lines) < portion:
            break
    async with database.transaction() as conn:
        return conclude(verdict, await audit.count_up_to(conn, verdict.entries), noted)
