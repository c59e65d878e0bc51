"""A process that ends its parent's children when the parent is gone, however it went.

Run as `python -I guard.py` with a pipe as standard input. The parent writes `+PID` for each child (the leader
of its own process group) and `-PID` once it has reaped it. When the pipe closes, whatever is left is stopped.
Standard library only: it starts in some 20 ms and outlives a broken installation.
"""

from __future__ import annotations

import os
import signal
import sys
import time

_GRACE_S = 5.0


def _alive(pid: int) -> bool:
    try:
        os.killpg(pid, 0)
    except (ProcessLookupError, PermissionError):
        return False
    return True


def _signal(pids: set[int], number: signal.Signals) -> None:
    for pid in pids:
        try:
            os.killpg(pid, number)
        except (ProcessLookupError, PermissionError):
            continue


def _stop(pids: set[int]) -> None:
    _signal(pids, signal.SIGINT)  # PostgreSQL's fast shutdown; the others stop on it too
    deadline = time.monotonic() + _GRACE_S
    while any(_alive(pid) for pid in pids) and time.monotonic() < deadline:
        time.sleep(0.05)
    _signal({pid for pid in pids if _alive(pid)}, signal.SIGKILL)


def main() -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    pids: set[int] = set()
    for line in sys.stdin:
        pid = int(line[1:])
        if line[0] == "+":
            pids.add(pid)
        else:
            pids.discard(pid)
    _stop(pids)


if __name__ == "__main__":
    main()
