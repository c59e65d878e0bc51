"""For operators: the audit log, listed and verified."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

import typer

from schemas.settings import Settings

app = typer.Typer(help="The audit log: list it, and prove that nothing of it was changed.", no_args_is_help=True)


@app.command()
def verify(
    head: Annotated[str | None, typer.Option(help="ENTRY:HASH as noted before: must still be in the chain.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")] = False,
) -> None:
    """Compute the whole chain again, name the first entry that is wrong or missing, and tell the head to note."""
    from leadwire.auditing import judge_log
    from storage.audit_chain import parse_head

    noted = parse_head(head) if head is not None else None
    judged = asyncio.run(judge_log(Settings(), noted, None if as_json else _told))
    typer.echo(json.dumps(judged.as_json()) if as_json else judged.as_text())
    if judged.verdict.problem is not None:
        raise typer.Exit(1)


@app.command("list")
def list_(
    patient: Annotated[UUID | None, typer.Option(help="Whose data; a user_id.")] = None,
    actor: Annotated[str | None, typer.Option(help="Who; a user_id, a device_id or a service's name.")] = None,
    action: Annotated[str | None, typer.Option(help="What, such as report.download.")] = None,
    since: Annotated[datetime | None, typer.Option(help="At or after this, UTC, such as 2026-11-23T10:00:00.")] = None,
    until: Annotated[datetime | None, typer.Option(help="Before this, UTC.")] = None,
    newest: Annotated[int, typer.Option(min=1, max=1_000_000, help="Only the newest so many.")] = 100,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line on standard output.")] = False,
) -> None:
    """Who did or read what of whose data, from where; oldest first."""
    from leadwire.auditing import as_table, entry_json, find_entries
    from storage.audit import AuditFilter

    wanted = AuditFilter(patient, actor, action, _utc(since), _utc(until))
    entries = asyncio.run(find_entries(Settings(), wanted, newest))
    typer.echo("\n".join(json.dumps(entry_json(entry)) for entry in entries) if as_json else as_table(entries))


def _told(entries: int) -> None:
    typer.echo(f"{entries} entries", err=True)


def _utc(moment: datetime | None) -> datetime | None:
    return None if moment is None else moment.replace(tzinfo=UTC)
