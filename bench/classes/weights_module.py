"""The trained weights as a Python module of literal numbers."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bench.classes.network import Network

_HEAD: Final = '''\
"""Weights of the network in classification.py, written by `python -m bench.classes`; see docs/classifier.md."""

from __future__ import annotations

from typing import Final

import numpy as np

# ruff: noqa: E501 - a row of a matrix is a line
# fmt: off
'''


def write_weights(path: Path, network: Network) -> None:
    """Write FIRST and LAST (see classification.answer) with five significant digits: no class hangs on more."""
    path.write_text(f"{_HEAD}{_matrix('FIRST', network.first)}{_matrix('LAST', network.last)}", "utf-8")


def _matrix(name: str, values: NDArray[np.float32]) -> str:
    rows = "".join(f"    [{', '.join(f'{float(value):.5g}' for value in row)}],\n" for row in values)
    return f"{name}: Final = np.array([\n{rows}], np.float32)\n"
