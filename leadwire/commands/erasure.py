"""True erasure of a person, asked for twice."""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Annotated

import typer

from schemas.errors import Malformed
from schemas.settings import Settings

Json = Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")]


def erase(
    name: Annotated[str, typer.Argument(help="Username or user_id.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: Json = False,
) -> None:
    """Erase everything of a person, in the database and the object store; it can't be undone."""
    from leadwire.erasing import erase_user

    if not yes:
        _confirm(name)
    done = asyncio.run(erase_user(Settings(), name, lambda what: typer.echo(f"erasing {what}", err=True)))
    typer.echo(json.dumps(done.as_json()) if as_json else done.as_text())


def _confirm(name: str) -> None:
    """Have the name typed again on a terminal. Raises Malformed where nobody can, or when it is another."""
    if not sys.stdin.isatty():
        raise Malformed(f"{name} would be erased for good and nobody is here to confirm it; add --yes")
    typed = typer.prompt(
        f"This erases {name} and all that was measured of them, for good. Type the name again", err=True
    )
    if typed != name:
        raise Malformed(f"{typed!r} is not {name!r}; nothing was erased")
