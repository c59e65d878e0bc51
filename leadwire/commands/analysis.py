"""For analysts: analyze a record offline, replay what was sent, ask for a report."""

from __future__ import annotations

import asyncio
import json
from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal
from uuid import UUID

import typer

from schemas.errors import Malformed
from schemas.settings import Settings

Json = Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")]
EngineName = Annotated[Literal["fast", "neurokit2"], typer.Option(help="Which engine.")]


def register(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    app.command()(analyze)
    app.command()(replay)
    app.command()(report)


def analyze(
    record: Annotated[Path, typer.Argument(help="A WFDB record, or an .edf or .csv file.")],
    out: Annotated[Path, typer.Option(help="Folder for RECORD.lwb, .lww and .lwr.")] = Path(),
    engine: EngineName = "fast",
    as_json: Json = False,
) -> None:
    """Run the streaming engine on a record, block by block as a worker does, and write WFDB annotations."""
    from leadwire.analysis import analyze_record

    done = analyze_record(record, out, engine)
    typer.echo(json.dumps(done.as_json()) if as_json else done.as_text())


def replay(
    device: Annotated[UUID | None, typer.Option(help="Whose samples; with --topic, all devices' if not given.")] = None,
    start: Annotated[datetime | None, typer.Option(help="UTC, such as 2026-11-23T10:00:00.")] = None,
    end: Annotated[datetime | None, typer.Option(help="UTC; the period is half-open.")] = None,
    topic: Annotated[str | None, typer.Option(help="Read this topic instead of the stored samples.")] = None,
    to_topic: Annotated[str | None, typer.Option(help="Send the blocks to this topic instead of an engine.")] = None,
    engine: EngineName = "fast",
    as_json: Json = False,
) -> None:
    """Send samples again: stored ones or a topic's, through an engine or onto another topic."""
    from leadwire.replaying import replay_blocks

    if device is None and topic is None:
        raise Malformed("nothing to replay; give --device for its stored samples, or --topic")
    done = asyncio.run(replay_blocks(Settings(), device, start, end, topic, to_topic, engine))
    typer.echo(json.dumps(done.as_json()) if as_json else done.as_text())


def report(
    device: Annotated[UUID, typer.Option(help="Whose report.")],
    start: Annotated[datetime, typer.Option(help="UTC, such as 2026-11-23T10:00:00.")],
    end: Annotated[datetime, typer.Option(help="UTC; the period is half-open.")],
    out: Annotated[Path, typer.Option(help="Where to put the PDF.")] = Path("report.pdf"),
    url: Annotated[str | None, typer.Option(envvar="LEADWIRE_URL", help="Where Leadwire is.")] = None,
    username: Annotated[str | None, typer.Option(envvar="LEADWIRE_USERNAME", help="Who asks.")] = None,
) -> None:
    """Ask for a PDF report about a period, wait for it and save it."""
    from leadwire.enrolment import find_login
    from leadwire.reporting import fetch_report

    pdf = asyncio.run(fetch_report(find_login(url, username), device, start, end))
    out.write_bytes(pdf)
    typer.echo(f"{out}: {len(pdf)} bytes")
