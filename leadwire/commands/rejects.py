"""For operators: the dead letters of ecg.rejects, listed, looked at and sent back."""

from __future__ import annotations

import asyncio
import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer

from schemas.errors import Malformed
from schemas.settings import Settings

if TYPE_CHECKING:
    from processors.rejects import Filter

app = typer.Typer(help="Dead letters: list, show, and send back once the cause is mended.", no_args_is_help=True)

Kind = Annotated[str | None, typer.Option(help="Malformed, 'Unknown device', Conflict or Rejected.")]
Device = Annotated[UUID | None, typer.Option(help="Whose, as far as bytes or key tell.")]
Since = Annotated[datetime | None, typer.Option(help="Rejected at or after this, UTC, such as 2026-11-23T10:00:00.")]
Newest = Annotated[int | None, typer.Option(min=1, help="Only the newest so many.")]
Json = Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")]


@app.command("list")
def list_(
    kind: Kind = None, device: Device = None, since: Since = None, newest: Newest = None, as_json: Json = False
) -> None:
    """List dead letters, oldest first: position, when, where each came from, and why; then how many of each kind."""
    from leadwire.rejects import Listed, list_rejects

    listed = Listed(asyncio.run(list_rejects(Settings().kafka, _filter(kind, device, since, newest))))
    typer.echo(json.dumps(listed.as_json()) if as_json else listed.as_text())


@app.command()
def show(
    position: Annotated[str, typer.Argument(help="partition@offset in ecg.rejects, as `list` tells it.")],
    out: Annotated[Path | None, typer.Option(help="Write the original bytes into this file.")] = None,
    as_json: Json = False,
) -> None:
    """Show one dead letter: reason, origin, headers, and what its bytes are as far as they can be read."""
    from leadwire.rejects import show_reject

    shown = asyncio.run(show_reject(Settings().kafka, position))
    if out is not None:
        out.write_bytes(shown.letter.value)
    typer.echo(json.dumps(shown.as_json()) if as_json else shown.as_text())


@app.command()
def replay(
    kind: Kind = None,
    device: Device = None,
    since: Since = None,
    newest: Newest = None,
    again: Annotated[bool, typer.Option("--again", help="Also what was sent back before.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Tell what would be sent, and send nothing.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: Json = False,
) -> None:
    """Send the original bytes back to the topic they came from, once what was wrong is mended."""
    from leadwire.rejects import plan_replay, replay_rejects

    settings = Settings().kafka
    planned = asyncio.run(plan_replay(settings, _filter(kind, device, since, newest), again=again))
    if planned.chosen and not (dry_run or yes):
        _confirm(len(planned.chosen))
    done = asyncio.run(replay_rejects(settings, planned, dry_run=dry_run))
    typer.echo(json.dumps(done.as_json()) if as_json else done.as_text())


def _confirm(count: int) -> None:
    """Ask on a terminal. Raises Malformed where nobody can answer."""
    if not sys.stdin.isatty():
        raise Malformed(f"{count} dead letters would be sent back and nobody is here to confirm it; add --yes")
    typer.confirm(f"Send {count} dead letters back?", abort=True, err=True)


def _filter(kind: str | None, device: UUID | None, since: datetime | None, newest: int | None) -> Filter:
    from processors.rejects import Filter

    return Filter(kind, device, since.replace(tzinfo=UTC) if since else None, newest)
