"""Trained weights as a Python module of literal numbers."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from bench.ventricular.network import Network

_HEAD = '''"""Weights of the network in ventricular_odds.py, as `python -m bench.ventricular` wrote them."""

from __future__ import annotations

from typing import Final

import numpy as np

# ruff: noqa: E501 - a row of the matrix is a line
# fmt: off
'''


def write_weights(path: Path, network: Network) -> None:
    """Write FIRST and LAST (see ventricular_odds.weigh_up) with five significant digits: nothing hangs on more."""
    path.write_text(f"{_HEAD}{_matrix('FIRST', network.first)}{_matrix('LAST', network.last)}")


def _matrix(name: str, values: np.typing.NDArray[np.float32]) -> str:
    rows = "".join(f"    [{', '.join(f'{float(value):.5g}' for value in row)}],\n" for row in values)
    return f"{name}: Final = np.array([\n{rows}], np.float32)\n"
