"""AtriumDB beside us, in the peers' environment."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from bench.peers.subprocesses import PYTHON
from bench.store.corpus import Corpus, Window
from schemas.errors import Misconfigured

_LIMIT_S: Final = 1200


def measure(corpus: Corpus, chosen: Sequence[Window], folder: Path) -> Mapping[str, Any]:
    """What it tells; FOLDER is empty. Raises Misconfigured without its environment, RuntimeError when it fails."""
    if not PYTHON.exists():
        raise Misconfigured(f"there is no {PYTHON}; `make bench-store` makes the peers' environment, or give --no-peer")
    folder.mkdir(parents=True)
    _hand_over(corpus, chosen, folder)
    command: list[str | Path] = [PYTHON, "-m", "bench.store.atrium_inside", str(folder)]
    environment = {**os.environ, "PYTHONPATH": str(Path.cwd())}
    done = subprocess.run(command, capture_output=True, text=True, timeout=_LIMIT_S, env=environment, check=False)
    if done.returncode:
        raise RuntimeError(
            f"AtriumDB failed: {done.stderr.strip().splitlines()[-1:]}; see bench/store/atrium_inside.py"
        )
    told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return told


def _hand_over(corpus: Corpus, chosen: Sequence[Window], folder: Path) -> None:
    number = {held.name: position for position, held in enumerate(corpus.held)}
    samples = {f"samples_{number[held.name]}": held.samples for held in corpus.held}
    rates = np.array([held.recording.rate_hz for held in corpus.held])
    np.savez(folder / "corpus.npz", rates_hz=rates, **samples)  # type: ignore[arg-type]  # numpy's own stub takes them for its flag
    np.save(folder / "windows.npy", np.array([(number[each.held.name], each.first, each.end) for each in chosen]))
