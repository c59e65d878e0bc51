"""The program that runs in the peers' environment: one peer, a recording per line in, its answer per line out."""

from __future__ import annotations

import json
import os
import sys
import time
import warnings
from importlib.metadata import version
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from bench.peers.catalogue import ALL, DELINEATORS, Peer
from bench.peers.delineators import delineate
from bench.peers.detectors import detect

_WARM_UP_S: Final = 20.0


def main(name: str) -> None:
    """Answer requests `{"path", "lead"}` with `{"columns", "cpu_s", "error"}`; the first line out is the version."""
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w", buffering=1)
    sys.stdout = sys.stderr  # some peers print
    warnings.simplefilter("ignore")
    peer = ALL[name]
    answers.write(json.dumps({"version": version(peer.library)}) + "\n")
    warm = False
    for line in sys.stdin:
        request = json.loads(line)
        with np.load(request["path"]) as held:
            leads_mv, rate_hz = held["leads_mv"], float(held["rate_hz"])
        leads_mv = leads_mv if request["lead"] is None else leads_mv[request["lead"] :][:1]
        if not warm:  # imports and compilation are not what we time
            _answer(peer, leads_mv[:, : round(_WARM_UP_S * rate_hz)], rate_hz)
            warm = True
        answers.write(json.dumps(_answer(peer, leads_mv, rate_hz)) + "\n")


def _answer(peer: Peer, leads_mv: NDArray[np.float64], rate_hz: float) -> dict[str, Any]:
    before = time.process_time()
    try:
        columns = _columns(peer, leads_mv, rate_hz)
    except Exception as error:  # noqa: BLE001  # whatever a peer raises is its answer, and is told of it
        told = f"{type(error).__name__}: {error}".splitlines()[0]
        return {"columns": {"r_index": []}, "cpu_s": time.process_time() - before, "error": told}
    return {"columns": columns, "cpu_s": time.process_time() - before, "error": None}


def _columns(peer: Peer, leads_mv: NDArray[np.float64], rate_hz: float) -> dict[str, list[int]]:
    if peer in DELINEATORS:
        found = delineate(peer.library, peer.method, leads_mv, rate_hz)
        return {name: column.tolist() for name, column in found.items()}
    peaks = np.asarray(detect(peer.library, peer.method, leads_mv[0].copy(), rate_hz), np.float64)
    return {"r_index": np.unique(peaks[np.isfinite(peaks)]).astype(int).tolist()}


if __name__ == "__main__":
    main(sys.argv[1])
