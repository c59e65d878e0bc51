"""Everything on this machine, to look at."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from leadwire.folders import DEMO_FOLDER

Records = Annotated[list[Path] | None, typer.Option("--record", help="Stream this record too; may be given again.")]
Devices = Annotated[int, typer.Option(min=0, max=1000, help="Virtual patients.")]
Data = Annotated[Path, typer.Option(help="Folder for database, objects, logs and the made-up login.")]
Port = Annotated[int, typer.Option(min=0, max=65535, help="Port of the dashboard; another free one if it is taken.")]
Browser = Annotated[bool, typer.Option(help="Open the dashboard in a browser.")]
Seconds = Annotated[float | None, typer.Option(min=0, help="Stop by itself after this long.")]


def register(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command()(demo)


def demo(
    records: Records = None,
    devices: Devices = 9,
    data: Data = DEMO_FOLDER,
    port: Port = 8000,
    browser: Browser = True,
    seconds: Seconds = None,
) -> None:
    """Start everything on this machine, stream patients, serve the dashboard; Ctrl-C stops it all."""
    from leadwire.demo import run_demo

    run_demo(records or [], devices, data, port, seconds, browser=browser)
