"""People, from the command line: the first admin comes from here, never with a default password."""

from __future__ import annotations

import asyncio
import json
import secrets
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Final

import typer

from schemas.accounts import Role, User
from schemas.errors import Misconfigured
from schemas.settings import Settings

app = typer.Typer(help="Users.", no_args_is_help=True)

Admin = Annotated[bool, typer.Option("--admin", help="Give the admin role.")]
Doctor = Annotated[bool, typer.Option("--doctor", help="Give the doctor role.")]
Json = Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")]
PasswordFile = Annotated[
    Path | None,
    typer.Option(help="Read the password from this file's first line, not from the terminal or standard input."),
]

_SHORTEST: Final = 8
_LONGEST: Final = 1024


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


@app.command()
def set_password(username: str, password_file: PasswordFile = None) -> None:
    """Give a user another password and end all their sessions. It is asked for, or read from a pipe or a file."""
    from leadwire.people import set_password as change

    password = _password(password_file)
    ended = asyncio.run(change(Settings(), username, password))
    typer.echo(f"{username} has another password; {ended} sessions ended")


@app.command()
def logout(username: str) -> None:
    """End all sessions of a user."""
    from leadwire.people import log_out

    ended = asyncio.run(log_out(Settings(), username))
    typer.echo(f"{ended} sessions of {username} ended")


@app.command("list")
def list_all(as_json: Json = False) -> None:
    """Everybody, by name, with their role and their last login."""
    from leadwire.people import list_users

    found = asyncio.run(list_users(Settings()))
    if as_json:
        typer.echo(json.dumps({"users": [asdict(user) for user in found]}, default=str))
        return
    for user in found:
        typer.echo(_line(user))


def _line(user: User) -> str:
    seen = f"last login {user.last_login:%Y-%m-%d %H:%M} UTC" if user.last_login else "never logged in"
    return f"{user.username}  {user.role}{'' if user.is_active else ', not active'}  {seen}"


def _password(file: Path | None) -> str:
    """Never the value of an option, which the shell's history and the process list would keep."""
    password = _told(file)
    if not _SHORTEST <= len(password) <= _LONGEST:
        raise Misconfigured(f"the password has {len(password)} characters; give one of {_SHORTEST} to {_LONGEST}")
    return password


def _told(file: Path | None) -> str:
    if file is not None:
        try:
            return (file.read_text().splitlines() or [""])[0]
        except (OSError, UnicodeDecodeError) as error:
            raise Misconfigured(f"{file} can't be read ({error}); give a text file with the password") from error
    if sys.stdin.isatty():
        return str(typer.prompt("Password", hide_input=True, confirmation_prompt=True))
    return sys.stdin.readline().rstrip("\r\n")
