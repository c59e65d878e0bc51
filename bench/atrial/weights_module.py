"""Trained weights as a Python module of literal numbers."""

from __future__ import annotations

from pathlib import Path

from bench.atrial.network import Floats, Weights

_HEAD = '''"""Weights of the network in atrial_network.py, as `python -m bench.atrial` wrote them: docs/atrial.md."""

from __future__ import annotations

from typing import Final

import numpy as np

# ruff: noqa: E501 - a row of a matrix is a line
# fmt: off
'''


def write_weights(path: Path, weights: Weights) -> None:
    """Write OUTER, INNER, OFFSETS and LAST with five significant digits: no answer hangs on more."""
    matrices = "".join(
        f"{name}: Final = np.array([\n{_rows(part)}], np.float32)\n"
        for name, part in (("OUTER", weights.outer), ("INNER", weights.inner))
    )
    vectors = "".join(
        f"{name}: Final = np.array([\n    {_numbers(part)},\n], np.float32)\n"
        for name, part in (("OFFSETS", weights.offsets), ("LAST", weights.last))
    )
    path.write_text(_HEAD + matrices + vectors, "utf-8")


def _rows(matrix: Floats) -> str:
    return "".join(f"    [{_numbers(row)}],\n" for row in matrix)


def _numbers(values: Floats) -> str:
    return ", ".join(f"{float(value):.5g}" for value in values)
