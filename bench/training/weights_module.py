"""Trained weights as a Python module of literal numbers."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from bench.training.network import Network

_HEAD = '''"""Weights of the network in decision.py, as `python -m bench.training` wrote them; see docs/detector.md."""

from __future__ import annotations

from typing import Final

import numpy as np

# ruff: noqa: E501 - a row of the matrix is a line
# fmt: off
FIRST: Final = np.array([
'''


def write_weights(path: Path, network: Network) -> None:
    """Write FIRST and LAST (see decision.judge) with five significant digits: no decision hangs on more."""
    rows = "".join(f"    [{_numbers(row)}],\n" for row in network.first)
    path.write_text(
        f"{_HEAD}{rows}], np.float32)\nLAST: Final = np.array([\n    {_numbers(network.last)},\n], np.float32)\n"
    )


def _numbers(values: np.typing.NDArray[np.float32]) -> str:
    return ", ".join(f"{float(value):.5g}" for value in values)
