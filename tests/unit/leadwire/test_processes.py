"""Workers that run together end together."""

from __future__ import annotations

import subprocess
import sys

import pytest

from leadwire import processes
from leadwire.exits import EXIT_DEFECT
from leadwire.processes import run_together

WAITS = "import time; time.sleep(60)"


@pytest.mark.parametrize(
    ("ends", "code"), [("raise SystemExit(75)", 75), ("import os; os.kill(os.getpid(), 9)", EXIT_DEFECT)]
)
def test_when_one_worker_ends_all_end_with_its_code(ends: str, code: int, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[subprocess.Popen[bytes]] = []

    def start(number: int, _port: int) -> subprocess.Popen[bytes]:
        started.append(subprocess.Popen([sys.executable, "-c", ends if number == 1 else WAITS]))
        return started[-1]

    monkeypatch.setattr(processes, "_start", start)
    monkeypatch.setattr(processes, "_pass_on", lambda workers: None)
    assert run_together(3, 0) == code
    assert [worker.poll() is not None for worker in started] == [True] * 3
