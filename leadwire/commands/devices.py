"""Devices, played: a recording from a file, or virtual patients."""

from __future__ import annotations

import asyncio
import json
import os
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer

from schemas.errors import Malformed

Url = Annotated[
    str | None, typer.Option(envvar="LEADWIRE_URL", help="Where Leadwire is; the running demo if not given.")
]
Username = Annotated[
    str | None,
    typer.Option(envvar="LEADWIRE_USERNAME", help="An admin's name; the password comes from LEADWIRE_PASSWORD."),
]
Speed = Annotated[float, typer.Option(help="1 is real time, 20 is 20 times as fast, 0 does not wait.")]
Json = Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")]


def register(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    app.command()(stream)
    app.command()(simulate)


def stream(
    record: Annotated[Path, typer.Argument(help="A WFDB record, or an .edf or .csv file.")],
    speed: Speed = 1.0,
    loop: Annotated[bool, typer.Option(help="Begin again at the end, as a new recording.")] = False,
    report: Annotated[bool, typer.Option(help="Ask for a PDF report at the end.")] = True,
    serial: Annotated[
        str | None, typer.Option(help="Serial number of the device; the record's name if not given.")
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with an interrupted play of this record.")] = False,
    state: Annotated[Path | None, typer.Option(help="Folder that keeps how far a play has come.")] = None,
    rate_hz: Annotated[float | None, typer.Option(help="For a CSV file that does not tell its rate.")] = None,
    url: Url = None,
    username: Username = None,
    as_json: Json = False,
) -> None:
    """Play a recording as a live device; every sample is acknowledged before this ends."""
    from ingest.records import read_record
    from leadwire.enrolment import Bed, find_login
    from leadwire.play_state import PlayFile, state_folder
    from leadwire.streaming import stream_record

    source = read_record(record, rate_hz=rate_hz)
    for note in source.notes:
        typer.echo(f"note: {note}", err=True)
    bed = Bed(serial or source.name, f"Record {source.name}", f"{source.name} ({', '.join(source.leads)})")
    login = find_login(url, username)
    file = PlayFile(state or state_folder(os.environ), login.url, bed.serial, source)
    while True:
        playing = stream_record(source, login, bed, speed, file, resume=resume, want_report=report and not loop)
        done = asyncio.run(playing)
        if as_json:
            typer.echo(json.dumps(done.as_json()))
        else:
            typer.echo(done.as_text())
        if not loop or done.stopped:
            return


def simulate(
    devices: Annotated[int, typer.Option(min=1, max=10_000, help="How many virtual patients.")] = 5,
    rhythm: Annotated[list[str] | None, typer.Option(help="A rhythm, taken in turn; may be given again.")] = None,
    seconds: Annotated[float | None, typer.Option(help="Stop after this long; else at Ctrl-C.")] = None,
    seed: Annotated[int, typer.Option(help="The same seed gives the same patients.")] = 0,
    speed: Speed = 1.0,
    url: Url = None,
    username: Username = None,
    as_json: Json = False,
) -> None:
    """Stream virtual patients: several rhythms, noise and gaps."""
    from ingest.simulation.strips import RHYTHMS
    from leadwire.enrolment import find_login
    from leadwire.streaming import simulate_patients

    unknown = [name for name in rhythm or [] if name not in RHYTHMS]
    if unknown:
        raise Malformed(f"rhythm {unknown[0]!r} is not known; choose among {', '.join(RHYTHMS)}")
    chosen = tuple(known for known in RHYTHMS if known in rhythm) if rhythm else RHYTHMS
    limit = timedelta(seconds=seconds) if seconds is not None else None
    told = asyncio.run(simulate_patients(devices, chosen, seed, find_login(url, username), speed, limit))
    typer.echo(json.dumps(told.as_json()) if as_json else told.as_text())
