"""For operators: the archive service, and the archive looked over and put right."""

from __future__ import annotations

import asyncio
import json
from dataclasses import asdict
from typing import Annotated

import typer

from schemas.logs import configure
from schemas.settings import Settings

app = typer.Typer()
Json = Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")]


@app.callback(invoke_without_command=True)
def archive(
    context: typer.Context,
    once: Annotated[bool, typer.Option("--once", help="One round, for a cron; else until it is stopped.")] = False,
    as_json: Json = False,
) -> None:
    """Archive closed hours, and let samples expire that are archived; any number of processes share it."""
    if context.invoked_subcommand is not None:
        return
    from leadwire.archiving import archive_once, run_archive, totals_json, totals_text

    settings = Settings()
    if not once:
        configure(settings.logs, "archive")
        asyncio.run(run_archive(settings))
        return
    done = asyncio.run(archive_once(settings))
    typer.echo(json.dumps(totals_json(done)) if as_json else totals_text(done))


@app.command()
def verify(
    deep: Annotated[bool, typer.Option("--deep", help="Read every file, and compare with rows still there.")] = False,
    as_json: Json = False,
) -> None:
    """Compare index, manifests and files; each problem on a line, exit code 1 if there is one."""
    from leadwire.archiving import verify as look

    done = asyncio.run(look(Settings(), deep=deep, told=None if as_json else _told))
    if as_json:
        typer.echo(json.dumps(asdict(done)))
    else:
        typer.echo("\n".join([*done.problems, _summary(done.hours, done.files, done.bytes, done.problem_count)]))
    if done.problem_count:
        raise typer.Exit(1)


@app.command()
def rebuild(as_json: Json = False) -> None:
    """Fill the index from the manifests, for a database that lost it; what is known already stays."""
    from leadwire.archiving import rebuild as put_down

    done = asyncio.run(put_down(Settings(), None if as_json else _told))
    text = f"{done.hours} hours of {done.recordings} recordings put down from {done.days} manifests"
    typer.echo(json.dumps(asdict(done)) if as_json else "\n".join([*done.problems, text]))
    if done.problems:
        raise typer.Exit(1)


@app.command()
def mend(as_json: Json = False) -> None:
    """Write every manifest anew from the index."""
    from leadwire.archiving import mend as write

    count = asyncio.run(write(Settings(), None if as_json else _told))
    typer.echo(json.dumps({"manifests": count}) if as_json else f"{count} manifests written")


def _told(day: str) -> None:
    typer.echo(day, err=True)


def _summary(hours: int, files: int, size: int, problems: int) -> str:
    return f"{hours} hours, {files} files, {size} bytes: {problems or 'no'} problem{'' if problems == 1 else 's'}"
