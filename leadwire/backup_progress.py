"""How far a backup or a restore has come: a bar on a terminal, a line for each step in a pipe, nothing for --json."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TaskID, TextColumn, TimeElapsedColumn


class Told(Protocol):
    """What hears of steps, and of bytes within one."""

    def step(self, what: str, total_bytes: int | None = None) -> None:
        """The next step begins; `total_bytes` when that is known."""

    def advance(self, count: int) -> None:
        """So many bytes more of this step."""


class Silence:
    """Tells nothing."""

    def step(self, what: str, total_bytes: int | None = None) -> None:
        """Nothing."""

    def advance(self, count: int) -> None:
        """Nothing."""


class Lines:
    """A line on standard error for each step."""

    def step(self, what: str, total_bytes: int | None = None) -> None:
        size = "" if total_bytes is None else f", {total_bytes / 1e6:.1f} MB"
        sys.stderr.write(f"{what}{size}\n")

    def advance(self, count: int) -> None:
        """Lines tell steps only."""


class Bars:
    """A bar for each step."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._task: TaskID | None = None
        self._done = 0

    def step(self, what: str, total_bytes: int | None = None) -> None:
        if self._task is not None:
            self._progress.update(self._task, total=self._done, completed=self._done)
        self._task, self._done = self._progress.add_task(what, total=total_bytes), 0

    def advance(self, count: int) -> None:
        self._done += count
        if self._task is not None:
            self._progress.advance(self._task, count)


@contextmanager
def telling(*, as_json: bool) -> Iterator[Told]:
    """What fits where this command's output goes."""
    if as_json:
        yield Silence()
    elif sys.stderr.isatty():
        columns = TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeElapsedColumn()
        with Progress(*columns, console=Console(stderr=True)) as progress:
            yield Bars(progress)
    else:
        yield Lines()
