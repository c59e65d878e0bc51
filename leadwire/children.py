"""Child processes that never outlive us: each in its own group, watched by a guard."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from schemas.errors import Busy

_GUARD = Path(__file__).with_name("guard.py")


class Child:
    """One running child; `name` is for people, `log` is where its output goes."""

    def __init__(self, name: str, process: subprocess.Popen[bytes], log: Path) -> None:
        self.name = name
        self.process = process
        self.log = log

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def exit_code(self) -> int | None:
        """None while it runs."""
        return self.process.poll()

    def last_words(self, lines: int = 5) -> str:
        """The end of its log."""
        text = self.log.read_text(errors="replace") if self.log.exists() else ""
        return "\n".join(text.strip().splitlines()[-lines:])


class Children:
    """A context that starts children and, when left or killed, leaves none of them running."""

    def __init__(self, log_folder: Path) -> None:
        self._logs = log_folder
        self._running: list[Child] = []
        self._guard: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self._logs.mkdir(parents=True, exist_ok=True)
        self._guard = subprocess.Popen(
            [sys.executable, "-I", str(_GUARD)], stdin=subprocess.PIPE, start_new_session=True
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for child in reversed(self._running.copy()):
            self.stop(child)
        if self._guard is not None and self._guard.stdin is not None:
            self._guard.stdin.close()
            self._guard.wait(timeout=10)

    def start(
        self,
        name: str,
        command: Sequence[str],
        *,
        env: Mapping[str, str] | None = None,
        before_exec: Callable[[], None] | None = None,
    ) -> Child:
        """Start one child; its output goes to NAME.log in the log folder."""
        log = self._logs / f"{name}.log"
        with log.open("ab") as output:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=dict(os.environ if env is None else env),
                start_new_session=True,
                preexec_fn=before_exec,  # noqa: PLW1509  # we start children before any thread
            )
        child = Child(name, process, log)
        self._running.append(child)
        self._tell_guard("+", child)
        return child

    def stop(self, child: Child, *, number: signal.Signals = signal.SIGINT, grace_s: float = 10) -> None:
        """Ask it to stop, then make it; returns when it is gone."""
        if child.exit_code is None:
            os.killpg(child.pid, number)
            try:
                child.process.wait(timeout=grace_s)
            except subprocess.TimeoutExpired:
                self.kill(child)
        if child in self._running:
            self._running.remove(child)
            self._tell_guard("-", child)

    def kill(self, child: Child) -> None:
        """SIGKILL, as a crash would; returns when it is gone."""
        if child.exit_code is None:
            os.killpg(child.pid, signal.SIGKILL)
            child.process.wait(timeout=10)

    @property
    def running(self) -> tuple[Child, ...]:
        """Every child started and not stopped."""
        return tuple(self._running)

    def dead(self) -> Child | None:
        """The first child that ended by itself, if any."""
        return next((child for child in self._running if child.exit_code is not None), None)

    def _tell_guard(self, sign: str, child: Child) -> None:
        if self._guard is None or self._guard.stdin is None:
            raise RuntimeError("children start inside `with Children(folder)` only")
        try:
            self._guard.stdin.write(f"{sign}{child.pid}\n".encode())
            self._guard.stdin.flush()
        except BrokenPipeError:  # the guard was killed by hand: __exit__ still stops every child
            return


def wait_until(ready: Callable[[], bool], child: Child, *, within_s: float) -> None:
    """Poll `ready` until it is true. Raises Busy when the child ends first or the time is over."""
    deadline = time.monotonic() + within_s
    while not ready():
        if child.exit_code is not None:
            raise Busy(f"{child.name} ended with exit code {child.exit_code}: {child.last_words()}; see {child.log}")
        if time.monotonic() > deadline:
            raise Busy(f"{child.name} was not ready within {within_s:g} s: {child.last_words()}; see {child.log}")
        time.sleep(0.02)
