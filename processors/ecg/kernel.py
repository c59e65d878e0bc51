"""How a kernel is compiled: plain loops over numpy records, no fast-math, so equal input gives equal bits."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeVar, cast

from numba import jit, njit

Function = TypeVar("Function", bound=Callable[..., Any])

DIVISION: Final = "numpy"
"""Dividing by 0 gives IEEE 754's answer: a worker must not stop for one odd signal, and such loops stay vectors."""

Record = Any
"""One slot of a structured array inside a kernel (numba gives it attributes); see state.py for the fields."""


def kernel(function: Function) -> Function:
    """A part of the engine, linked into the outermost kernel; it is not cached on its own (see cached_kernel).

    It can be called from kernels only: entries from Python and C would take a fifth of the time of compiling it.
    """
    compiled = jit(nopython=True, error_model=DIVISION, no_cpython_wrapper=True, no_cfunc_wrapper=True)  # type: ignore[call-overload] # numba's stub lacks the last two
    return cast("Function", compiled(function))


def inlined_kernel(function: Function) -> Function:
    """A kernel with one caller, written into it before it is compiled.

    LLVM optimizes all that a kernel calls once more for every level of calls above it; the outer levels have one
    caller each, and writing them in halves the time of a first start.
    """
    return cast("Function", njit(error_model=DIVISION, inline="always")(function))


def cached_kernel(function: Function) -> Function:
    """The outermost kernel, machine code kept in __pycache__.

    Numba renews a cached kernel when its own file changes, not when a file it calls does. The outermost kernel
    therefore closes over a stamp of all the engine's files (run.py), and it alone is cached.
    """
    return cast("Function", njit(cache=True, error_model=DIVISION)(function))
