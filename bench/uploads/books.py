"""What clients, database, log and store tell of the same reports, held against each other."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from bench.uploads.senders import Book
from storage.database import Database


@dataclass(frozen=True, slots=True)
class Kept:
    """What the database tells: (key, SHA-256, status) by report, and the outcomes in upload_logs by report."""

    reports: dict[str, tuple[str, str, str]]
    logs: dict[str, Counter[str]]


async def kept(database: Database) -> Kept:
    async with database.transaction() as conn:
        rows = await conn.execute(
            "SELECT report_id::text, file_path_s3, encode(sha256, 'hex'), upload_status FROM ecg_reports"
        )
        reports = {report_id: (key, digest, status) for report_id, key, digest, status in await rows.fetchall()}
        lines = await conn.execute("SELECT report_id::text, upload_status, count(*) FROM upload_logs GROUP BY 1, 2")
        logs: dict[str, Counter[str]] = {}
        for report_id, outcome, count in await lines.fetchall():
            logs.setdefault(report_id, Counter())[outcome] += count
    return Kept(reports, logs)


def faults(book: Book, held: Kept, objects: dict[str, str], count: int) -> list[str]:
    """Everything that does not agree, in words; nothing when each report is there exactly once."""
    digests = Counter(sent.sha256 for sent in book.sent)
    ids = Counter(sent.report_id for sent in book.sent)
    told = [
        (book.given_up == 0, f"{book.given_up} reports were given up"),
        (len(digests) == count and max(digests.values(), default=0) == 1, f"{len(digests)} reports of {count} sent"),
        (len(ids) == count, f"{len(ids)} report ids were told for {count} reports"),
        (held.reports.keys() == ids.keys(), f"{len(held.reports)} rows for {len(ids)} ids that were told"),
        (len(objects) == count, f"{len(objects)} objects for {count} reports"),
        *(_of_report(sent.report_id, sent.sha256, held, objects) for sent in book.sent),
        *(_of_log(report_id, held) for report_id in held.reports),
        _of_failures(book, held),
    ]
    return [text for is_right, text in told if not is_right]


def _of_report(report_id: str, digest: str, held: Kept, objects: dict[str, str]) -> tuple[bool, str]:
    """What was sent under the id is what the row says, and what the store has under the row's key."""
    key, told, status = held.reports.get(report_id, ("", "", "no row"))
    right = (told, status, objects.get(key)) == (digest, "uploaded", digest)
    return right, f"report {report_id}: {status}, row and object are {'not ' if not right else ''}what was sent"


def _of_log(report_id: str, held: Kept) -> tuple[bool, str]:
    lines = held.logs.get(report_id, Counter())
    return lines["success"] == 1, f"report {report_id}: {lines['success']} lines of success"


def _of_failures(book: Book, held: Kept) -> tuple[bool, str]:
    """Every 503 of the outage is one line that says failed, and every 409 one that says duplicate.

    A connection that broke may have taken such an answer with it.
    """
    outcomes = sum(held.logs.values(), Counter())
    told, lines = (book.answers[503], book.answers[409]), (outcomes["failed"], outcomes["duplicate"])
    are_right = all(0 <= line - answer <= book.broken for answer, line in zip(told, lines, strict=True))
    return are_right, f"503 and 409 were answered {told} times, upload_logs has {lines} lines"
