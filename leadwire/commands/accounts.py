"""People, from the command line: the first admin comes from here, never with a default password."""

from __future__ import annotations

import asyncio
import secrets
from typing import Annotated

import typer

from schemas.accounts import Role
from schemas.settings import Settings

app = typer.Typer(help="Users.", no_args_is_help=True)

Admin = Annotated[bool, typer.Option("--admin", help="Give the admin role.")]
Doctor = Annotated[bool, typer.Option("--doctor", help="Give the doctor role.")]


@app.callback()
def users() -> None:
    """Users."""


@app.command()
def create(username: str, admin: Admin = False, doctor: Doctor = False, full_name: str | None = None) -> None:
    """Make a user with a made-up password, shown once."""
    from leadwire.people import create_user

    password = secrets.token_urlsafe(12)
    role: Role = "admin" if admin else "doctor" if doctor else "user"
    user = asyncio.run(create_user(Settings(), username, password, role, full_name))
    typer.echo(f"user {user.username} ({user.role}), password {password}")
