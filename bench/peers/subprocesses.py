"""A peer as a subprocess in its own environment: asked recording by recording, started again when it dies."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from threading import Timer
from types import TracebackType
from typing import Any, Final

import numpy as np

from bench.accuracy.records import Record

PYTHON: Final = Path(".venv-peers/bin/python")
LIMIT_S: Final = 600.0
"""For one recording, by the wall clock; a peer that takes longer found nothing in it."""
_ONE_THREAD: Final = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")


class PeerProcess:
    """A context manager; `version` is the library's."""

    def __init__(self, peer: str) -> None:
        self._peer = peer
        self._process: subprocess.Popen[str] | None = None
        self.version = ""

    def __enter__(self) -> PeerProcess:
        self._start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._stop()

    def ask(self, recording: Path, lead: int | None) -> dict[str, Any]:
        """What the peer says of a recording written by `hand_over`: `columns`, `cpu_s`, and `error` if it failed."""
        if self._process is None:
            self._start()
        line = self._exchange(json.dumps({"path": str(recording), "lead": lead}) + "\n")
        if not line:
            self._stop()
            return {"columns": {"r_index": []}, "cpu_s": 0.0, "error": f"died, or took longer than {LIMIT_S:.0f} s"}
        told: dict[str, Any] = json.loads(line)
        return told

    def _start(self) -> None:
        self._process = subprocess.Popen(
            [PYTHON, "-m", "bench.peers.inside", self._peer],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env={**os.environ, **_ONE_THREAD},
        )
        hello = self._exchange("")
        if not hello:
            self._stop()
            raise RuntimeError(f"{PYTHON} can't run {self._peer}; `make peers` makes the peers' environment")
        self.version = str(json.loads(hello)["version"])

    def _exchange(self, request: str) -> str:
        process = self._process
        assert process is not None  # noqa: S101  # ask() starts it
        assert process.stdin is not None and process.stdout is not None  # noqa: S101, PT018  # PIPE gives both
        limit = Timer(LIMIT_S, process.kill)
        limit.start()
        try:
            process.stdin.write(request)
            process.stdin.flush()
            return process.stdout.readline()
        except BrokenPipeError:
            return ""
        finally:
            limit.cancel()

    def _stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None


def hand_over(record: Record, folder: Path) -> Path:
    """Write a record where a peer can read it."""
    path = folder / f"{record.name}.npz"
    np.savez(path, leads_mv=record.mv, rate_hz=record.rate_hz)
    return path
