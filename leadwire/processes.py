"""Several workers as one command: a process for each core, the partitions shared among them by Kafka."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from types import FrameType

from leadwire.exits import EXIT_DEFECT
from schemas.logs import logger

_log = logger(__name__)


def run_together(count: int, telemetry_port: int) -> int:
    """Run `count` workers until they end; returns the exit code, 0 when all ended well.

    SIGINT and SIGTERM go on to all. When one ends by itself the others are stopped, so that whoever watches this
    command starts all anew; what they had not acknowledged is computed again.
    """
    workers = [_start(number, telemetry_port) for number in range(count)]
    _pass_on(workers)
    first = _first_end(workers)
    _log.info("a worker ended", code=first)
    for worker in workers:
        worker.terminate()
    codes = [first, *(worker.wait() for worker in workers)]
    return next((EXIT_DEFECT if code < 0 else code for code in codes if code), 0)


def _start(number: int, telemetry_port: int) -> subprocess.Popen[bytes]:
    """A port of 0 is one for each of them; a chosen one is the first one's, and the next ones follow it."""
    port = telemetry_port + number if telemetry_port else 0
    env = {**os.environ, "LEADWIRE_WORKER_PORT": str(port)}
    return subprocess.Popen([sys.executable, "-m", "leadwire", "worker"], env=env)


def _pass_on(workers: Sequence[subprocess.Popen[bytes]]) -> None:
    def tell(number: int, _frame: FrameType | None) -> None:
        for worker in workers:
            worker.send_signal(number)

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, tell)


def _first_end(workers: Sequence[subprocess.Popen[bytes]]) -> int:
    ended, status = os.wait()
    code = os.waitstatus_to_exitcode(status)
    for worker in workers:
        if worker.pid == ended:
            worker.returncode = code
    return code
