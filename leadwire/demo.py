"""What `leadwire demo` does: the embedded stack, every service, and patients streaming, until Ctrl-C."""

from __future__ import annotations

import asyncio
import os
import secrets
import signal
import sys
import time
import webbrowser
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import typer

from leadwire.children import Child, wait_until
from leadwire.embedded import Stack, embedded_stack, free_port, is_listening
from leadwire.enrolment import Login, keep_login, kept_login
from leadwire.folders import ENVIRONMENT_FILE
from leadwire.people import create_user
from leadwire.provision import provision
from schemas.errors import Busy
from schemas.settings import Settings
from storage import beats, checkpoints
from storage.access import everything
from storage.database import writer

_ADMIN: Final = "admin"
_START_S: Final = 60.0
_STARTED_ANEW: Final = ("worker", "hrv")
_LEADWIRE: Final = (sys.executable, "-m", "leadwire")


@dataclass(slots=True)
class Demo:
    """One run: the stack, the login, and the services on it."""

    stack: Stack
    login: Login
    serving: Child


def run_demo(records: list[Path], devices: int, data: Path, port: int, seconds: float | None, *, browser: bool) -> None:
    """Start everything, stream, tell, and stay until Ctrl-C or for `seconds`. Raises what the servers raise."""
    begun_s = time.monotonic()
    for record in records:
        _check(record)
    with _interruptible(), embedded_stack(data) as stack, _environment_kept(stack, data):
        running = _start(stack, data, port)
        _play(running, records, devices)
        wait_until(lambda: is_listening(running.login.url.removeprefix("http://")), running.serving, within_s=_START_S)
        _tell(running, records, devices)
        asyncio.run(_first_beat())
        running.stack.children.start("hrv", [*_LEADWIRE, "hrv"])  # its start must not delay the first beat
        _say(f"first beat stored after {time.monotonic() - begun_s:.1f} s. Ctrl-C stops everything.")
        if browser and sys.stdout.isatty():
            webbrowser.open(running.login.url)
        _watch(running, seconds)


def _start(stack: Stack, data: Path, port: int) -> Demo:
    """Schema, topics and login, then worker and HTTP side by side."""
    port = port if port and not is_listening(f"127.0.0.1:{port}") else free_port()
    os.environ.update(stack.env() | {"LEADWIRE_PUBLIC_URL": f"http://127.0.0.1:{port}"})
    os.environ.setdefault("SECRET_KEY", secrets.token_hex(32))
    asyncio.run(_prepare())
    login = _login(f"http://127.0.0.1:{port}", data)
    stack.children.start("worker", [*_LEADWIRE, "worker"])
    serving = stack.children.start("serve", [*_LEADWIRE, "serve", "--port", str(port)])
    return Demo(stack, login, serving)


async def _prepare() -> None:
    settings = Settings()
    await provision(settings)
    database = writer(settings.database)
    await database.open()
    async with database.transaction() as connection:
        await checkpoints.forget_all(connection)  # the broker keeps nothing: yesterday's offsets mean nothing today
    await database.close()


def _login(url: str, data: Path) -> Login:
    """The admin of this data folder: the one it has, or a new one with a made-up password."""
    known = kept_login(data)
    login = Login(url, known.username if known else _ADMIN, known.password if known else secrets.token_urlsafe(12))
    if known is None:
        asyncio.run(create_user(Settings(), login.username, login.password, "admin", None))
    keep_login(login, data)
    return login


def _play(running: Demo, records: list[Path], devices: int) -> None:
    start = running.stack.children.start
    for number, record in enumerate(records, 1):
        command = ["stream", str(record), "--loop"]
        start(f"stream-{number}", [*_LEADWIRE, *command], env=_as_client(running))
    if devices:
        command = ["simulate", "--devices", str(devices)]
        start("simulate", [*_LEADWIRE, *command], env=_as_client(running))


def _as_client(running: Demo) -> dict[str, str]:
    login = running.login
    return {
        **os.environ,
        "LEADWIRE_URL": login.url,
        "LEADWIRE_USERNAME": login.username,
        "LEADWIRE_PASSWORD": login.password,
    }


def _tell(running: Demo, records: list[Path], devices: int) -> None:
    login = running.login
    _say(f"Leadwire   {login.url}")
    _say(f"login      {login.username}   password {login.password}")
    for record in records:
        _say(f"streaming  {record} (looped, real time)")
    if devices:
        _say(f"streaming  {devices} virtual patients")
    _say("Research use: not for diagnosis or primary alarms.")


async def _first_beat() -> None:
    """Until the first beat of this run is stored. Raises Busy when none comes."""
    database = writer(Settings().database)
    await database.open()
    try:
        deadline = time.monotonic() + _START_S
        async with database.transaction() as connection:
            before = await beats.newest(connection, everything())
        while True:
            async with database.transaction() as connection:
                newest = await beats.newest(connection, everything())
            if newest != before:
                return
            if time.monotonic() > deadline:
                raise Busy(f"no beat was stored within {_START_S:g} s; look at the logs in the data folder")
            await asyncio.sleep(0.1)
    finally:
        await database.close()


def _watch(running: Demo, seconds: float | None) -> None:
    """Until the time is over. A worker or hrv that stops goes on where it was; another service that ends, ends all."""
    until_s = time.monotonic() + seconds if seconds is not None else float("inf")
    children = running.stack.children
    while time.monotonic() < until_s:
        time.sleep(0.5)
        ended = children.dead()
        if ended is not None and ended.name in _STARTED_ANEW:
            _say(f"the {ended.name} stopped with exit code {ended.exit_code} ({ended.log}); starting it anew")
            children.stop(ended)
            children.start(ended.name, [*_LEADWIRE, ended.name])
        elif ended is not None:
            raise Busy(f"{ended.name} ended with exit code {ended.exit_code}: {ended.last_words()}; see {ended.log}")


def _check(record: Path) -> None:
    """Refuse a record that can't be read before anything is started."""
    # wfdb takes a second to import, and most demos stream no file.
    from ingest.records import read_record  # noqa: PLC0415

    read_record(record)


@contextmanager
def _environment_kept(stack: Stack, data: Path) -> Iterator[None]:
    """While the demo runs, other commands in this folder find its servers; the file holds the database password."""
    file = data / ENVIRONMENT_FILE
    file.unlink(missing_ok=True)
    file.touch(mode=0o600)
    ours = {name: value for name, value in stack.env().items() if name not in os.environ}
    file.write_text("".join(f"{name}={value}\n" for name, value in ours.items()))
    try:
        yield
    finally:
        file.unlink(missing_ok=True)


@contextmanager
def _interruptible() -> Iterator[None]:
    """Ctrl-C and SIGTERM end the demo in good order, even where a shell started it with SIGINT ignored."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    try:
        yield
    except KeyboardInterrupt:
        _say("")
    _say("stopped; nothing is left running")


def _say(line: str) -> None:
    typer.echo(line)
    sys.stdout.flush()
