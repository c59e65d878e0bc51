"""The command `leadwire`: one line per error with its remedy, never a traceback; exit codes as documented."""

from __future__ import annotations

import sys
from typing import Final

import typer
from dotenv import load_dotenv
from rich.console import Console

from leadwire.commands import accounts, analysis, devices, servers, setup
from leadwire.demo import demo
from leadwire.enrolment import DEMO_FOLDER, ENVIRONMENT_FILE
from schemas.errors import Busy, LeadwireError, Misconfigured, NotFound, Refused

EXIT_CODES: Final = (
    (Misconfigured, 78, "a setting is missing or wrong"),
    (Busy, 75, "a server is away or slow: try again"),
    (Refused, 77, "not allowed"),
    (NotFound, 66, "the file, record or row is not there"),
    (LeadwireError, 65, "the input can't be used"),
)
"""As in sysexits.h; 2 is a wrong command line, 130 Ctrl-C, 70 a defect of ours."""

app = typer.Typer(
    name="leadwire",
    help="Streaming ECG: devices in, beats out. Research use: not for diagnosis or primary alarms.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
app.command()(demo)
for commands in (servers, setup, devices, analysis):
    commands.register(app)
app.add_typer(accounts.app, name="user")


def main() -> None:
    """Run the command line. A demo that runs in this folder is found by the settings it left; real ones go first."""
    load_dotenv(DEMO_FOLDER / ENVIRONMENT_FILE)
    try:
        app()
    except LeadwireError as error:
        Console(stderr=True).print(f"leadwire: {error}", style="red", highlight=False, soft_wrap=True, markup=False)
        sys.exit(exit_code(error))
    except KeyboardInterrupt:
        sys.exit(130)


def exit_code(error: LeadwireError) -> int:
    """The exit code of an error's kind."""
    return next(code for kind, code, _ in EXIT_CODES if isinstance(error, kind))
