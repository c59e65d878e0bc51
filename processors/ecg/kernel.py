"""How a kernel is compiled: plain loops over numpy records, no fast-math, so equal input gives equal bits."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeVar, cast

from numba import njit

Function = TypeVar("Function", bound=Callable[..., Any])

DIVISION: Final = "numpy"
"""Dividing by 0 gives IEEE 754's answer: a worker must not stop for one odd signal, and such loops stay vectors."""

Record = Any
"""One slot of a structured array inside a kernel (numba gives it attributes); see state.py for the fields."""


def kernel(function: Function) -> Function:
    """A part of the engine, linked into the outermost kernel; it is not cached on its own (see cached_kernel)."""
    return cast("Function", njit(error_model=DIVISION)(function))


def cached_kernel(function: Function) -> Function:
    """The outermost kernel, machine code kept in __pycache__.

    Numba renews a cached kernel when its own file changes, not when a file it calls does. The outermost kernel
    therefore closes over a stamp of all the engine's files (run.py), and it alone is cached.
    """
    return cast("Function", njit(cache=True, error_model=DIVISION)(function))
