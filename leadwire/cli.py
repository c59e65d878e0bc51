"""The command `leadwire`: one line per error with its remedy, never a traceback; exit codes as documented."""

from __future__ import annotations

import os
import sys
import traceback

import typer
from dotenv import load_dotenv
from rich.console import Console

from leadwire.commands import (
    accounts,
    analysis,
    archive,
    audit,
    backup,
    demo,
    devices,
    erasure,
    imports,
    rejects,
    servers,
    setup,
)
from leadwire.exits import EXIT_DEFECT, exit_code
from leadwire.folders import DEMO_FOLDER, ENVIRONMENT_FILE
from schemas.errors import LeadwireError

app = typer.Typer(
    name="leadwire",
    help="Streaming ECG: devices in, beats out. Research use: not for diagnosis or primary alarms.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
for commands in (demo, servers, setup, backup, devices, analysis, imports):
    commands.register(app)
accounts.app.command()(erasure.erase)
app.add_typer(accounts.app, name="user")
app.add_typer(archive.app, name="archive")
app.add_typer(audit.app, name="audit")
app.add_typer(rejects.app, name="rejects")


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
    except Exception as error:  # noqa: BLE001  # the outermost loop: no traceback reaches a user
        _tell_defect(error)
        sys.exit(EXIT_DEFECT)


def _tell_defect(error: Exception) -> None:
    """One line for the user; the traceback for whoever asks for it with LOG_LEVEL=DEBUG."""
    if os.environ.get("LOG_LEVEL") == "DEBUG":
        traceback.print_exception(error)
    told = (
        f"a defect of ours, {type(error).__name__}: {error}; run it again with LOG_LEVEL=DEBUG and report what it tells"
    )
    Console(stderr=True).print(f"leadwire: {told}", style="red", highlight=False, soft_wrap=True, markup=False)
