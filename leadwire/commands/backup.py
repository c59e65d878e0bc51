"""Keeping what there is: backup, its proof, and the way back."""

from __future__ import annotations

import asyncio
import json
import logging
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from schemas.settings import Settings

Json = Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")]
Bare = Annotated[bool, typer.Option("--without-objects", help="Only the database: the bucket keeps its own versions.")]
Jobs = Annotated[int, typer.Option(min=1, max=64, help="Tables at a time.")]
New = Annotated[bool, typer.Option("--new-kafka", help="Kafka was made anew: read it from its beginning.")]


class _Folder(TyperGroup):
    """`leadwire backup DEST` is `leadwire backup to DEST`, and so with restore."""

    usual = ""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """`ctx` is click's Context, of which typer keeps a copy of its own."""
        if args and args[0] not in {*self.commands, "--help"}:
            args = [self.usual, *args]
        return super().parse_args(ctx, args)


class _To(_Folder):
    usual = "to"


class _From(_Folder):
    usual = "from"


backup_app = typer.Typer(
    cls=_To, help="`leadwire backup DEST`: database, objects and sums into a folder.", no_args_is_help=True
)
restore_app = typer.Typer(
    cls=_From, help="`leadwire restore SOURCE`: a backup back into an empty database.", no_args_is_help=True
)


def register(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    app.add_typer(backup_app, name="backup")
    app.add_typer(restore_app, name="restore")


@backup_app.command()
def to(
    dest: Annotated[Path, typer.Argument(help="An empty folder, or one of a backup that did not end.")],
    without_objects: Bare = False,
    jobs: Jobs = 2,
    as_json: Json = False,
) -> None:
    """Make a backup; everything may go on meanwhile. Exit code 1 when the object store lacks files or has others."""
    from leadwire.backup import back_up
    from leadwire.backup_progress import telling
    from leadwire.backup_told import made_json, made_text

    _quiet()
    with telling(as_json=as_json) as told:
        made = asyncio.run(back_up(Settings(), dest, told, with_objects=not without_objects, jobs=jobs))
    typer.echo(json.dumps(made_json(made)) if as_json else made_text(made))
    if made.problems:
        raise typer.Exit(1)


@backup_app.command()
def verify(dest: Annotated[Path, typer.Argument(help="A backup.")], as_json: Json = False) -> None:
    """Read a backup again and compare every sum; needs no server. Exit code 1 when something is wrong."""
    from leadwire import backup
    from leadwire.backup_progress import telling
    from leadwire.backup_told import verified_json, verified_text

    with telling(as_json=as_json) as told:
        verified = asyncio.run(backup.verify(dest, told))
    typer.echo(json.dumps(verified_json(verified)) if as_json else verified_text(verified))
    if verified.problems:
        raise typer.Exit(1)


@restore_app.command("from")
def from_(
    source: Annotated[Path, typer.Argument(help="A backup.")],
    without_objects: Bare = False,
    new_kafka: New = False,
    jobs: Jobs = 2,
    as_json: Json = False,
) -> None:
    """Take a backup back into the empty database of DATABASE_URL, and its objects into the store of the settings."""
    from leadwire.backup_progress import telling
    from leadwire.backup_told import restored_json, restored_text
    from leadwire.restore import restore

    _quiet()
    with telling(as_json=as_json) as told:
        done = asyncio.run(
            restore(Settings(), source, told, with_objects=not without_objects, new_kafka=new_kafka, jobs=jobs)
        )
    typer.echo(json.dumps(restored_json(done)) if as_json else restored_text(done))


@restore_app.command()
def offsets(new_kafka: New = False, as_json: Json = False) -> None:
    """Let the workers read on in Kafka where the database ends, after it came back by other means."""
    from leadwire.backup_told import aligned_json, aligned_text
    from leadwire.restore import align_offsets

    _quiet()
    done = asyncio.run(align_offsets(Settings(), new_kafka=new_kafka))
    typer.echo(json.dumps(aligned_json(done)) if as_json else aligned_text(done))


def _quiet() -> None:
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # it tells of each attempt what we tell once
