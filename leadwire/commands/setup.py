"""Getting ready: migrate and doctor."""

from __future__ import annotations

import asyncio
import json
import logging
from typing import Annotated

import typer

from schemas.logs import configure
from schemas.settings import Settings

Json = Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")]


def register(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    app.command()(migrate)
    app.command()(doctor)


def migrate(as_json: Json = False) -> None:
    """Bring the database schema, the topics and the bucket up to date; safe to run again."""
    from leadwire.provision import provision

    settings = _begin()
    done = asyncio.run(provision(settings))
    if as_json:
        typer.echo(json.dumps({"migrations": done.migrations, "schema": done.schema, "topics": done.topics}))
        return
    typer.echo(f"schema {done.schema} ({'TimescaleDB' if done.timescale else 'plain PostgreSQL'})")
    typer.echo(f"applied now: {', '.join(done.migrations) or 'nothing, it was up to date'}")
    typer.echo(f"topics made: {', '.join(done.topics) or 'none, all were there'}")


def doctor(as_json: Json = False) -> None:
    """Test every connection and say what to fix; exit code 1 when something is wrong."""
    from leadwire.doctor import examine

    logging.disable()  # the findings say it all; the libraries say it again for each attempt
    findings = asyncio.run(examine(Settings()))
    if as_json:
        typer.echo(json.dumps({finding.name: finding.problem or "ok" for finding in findings}))
    else:
        for finding in findings:
            typer.echo(
                f"{'ok  ' if finding.problem is None else 'FAIL'}  {finding.name}: {finding.problem or finding.detail}"
            )
    if any(finding.problem for finding in findings):
        raise typer.Exit(1)


def _begin() -> Settings:
    settings = Settings()
    configure(settings.logs, "setup")
    return settings
