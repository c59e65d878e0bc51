"""The old system's data, taken over."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import typer

from schemas.errors import Malformed
from schemas.settings import Settings

if TYPE_CHECKING:
    from leadwire.importing import OnProgress


def register(app: typer.Typer) -> None:
    """Add this command to the command line."""
    app.command("import-json")(import_json)


def import_json(
    dir: Annotated[Path, typer.Argument(help="Holds users.json, upload_log.json, reports/ …")],  # noqa: A002  # the manual calls it DIR
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Look at everything, and write nothing.")] = False,
    timezone: Annotated[str, typer.Option(help="Of times that tell none, such as Europe/Berlin.")] = "UTC",
    report: Annotated[
        Path | None, typer.Option(help="Write what became of each entry into this file, as JSON.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")] = False,
) -> None:
    """Take over the old system's JSON files; run again, it goes on, and what is there is skipped."""
    from leadwire.importing import import_folder

    zone = _zone(timezone)
    with _progress() as told:
        done = asyncio.run(import_folder(Settings(), dir, zone, dry_run=dry_run, told=told))
    if report is not None:
        report.write_text(json.dumps(done.as_json(), indent=2, ensure_ascii=False) + "\n", "utf-8")
    typer.echo(json.dumps(done.as_json()) if as_json else done.as_text())


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise Malformed(f"--timezone {name!r} is not known; give one such as Europe/Berlin or UTC") from None


@contextmanager
def _progress() -> Iterator[OnProgress]:
    """A bar on a terminal, a line for every 500 entries in a pipe."""
    if not sys.stderr.isatty():
        yield _line
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True)) as bar:
        task = bar.add_task("importing", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def _line(done: int, total: int) -> None:
    if done % 500 == 0 or done == total:
        typer.echo(f"{done} of {total} entries", err=True)
