"""Child processes that never outlive the tests."""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Self

from tests.servers.availability import Unavailable, last_lines

POLL_S = 0.05

# Reads a pipe whose other end only this Python process holds. Its end without a word means that Python is gone, by
# whatever death, and then the child's whole group goes too.
_WATCHDOG = 'read -r word && exit 0; kill -s KILL -- "-$1" 2>/dev/null'


class Child:
    """A program in its own process group, with what it prints in a log file."""

    def __init__(
        self, argv: Sequence[str | Path], log: Path, folder: Path | None = None, env: dict[str, str] | None = None
    ) -> None:
        self.name = Path(argv[0]).name
        self.log = log
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                [str(word) for word in argv],
                cwd=folder,
                env=os.environ | (env or {}),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._watchdog = subprocess.Popen(
            ["/bin/sh", "-c", _WATCHDOG, "watchdog", str(self.pid)], stdin=subprocess.PIPE, start_new_session=True
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def is_running(self) -> bool:
        return self._process.poll() is None

    def wait_until(self, ready: Callable[[], bool], deadline_s: float) -> None:
        """Return once `ready()` holds; raises Unavailable if the child ends before that, or the deadline passes."""
        end_s = time.monotonic() + deadline_s
        while not ready():
            if not self.is_running:
                raise Unavailable(f"{self.name} ended with {self._process.returncode}: {self._last_words()}")
            if time.monotonic() > end_s:
                raise Unavailable(f"{self.name} wasn't ready in {deadline_s:.0f} s: {self._last_words()}")
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(POLL_S)

    def stop(self, grace_s: float = 10.0) -> None:
        """SIGTERM the group, then SIGKILL what is still there after the grace. Twice is as good as once."""
        self._signal(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(grace_s)
        self.kill()

    def kill(self) -> None:
        """SIGKILL the whole group and wait for its end: what a crash or a power cut looks like."""
        self._signal(signal.SIGKILL)
        self._process.wait()
        self._dismiss_watchdog()

    def _signal(self, number: signal.Signals) -> None:
        if self._watchdog.poll() is not None:
            return  # the group is gone, and its number may be another's by now
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, number)

    def _dismiss_watchdog(self) -> None:
        if self._watchdog.poll() is None:
            self._watchdog.communicate(b"stopped\n")

    def _last_words(self) -> str:
        return last_lines(self.log.read_text(errors="replace")) + f" (all of it: {self.log})"
