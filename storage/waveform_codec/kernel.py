"""How a kernel of the codec is compiled: integers only, without the lock, so equal input gives equal bytes anywhere."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast
from zlib import crc32

from numba import jit, njit

Function = TypeVar("Function", bound=Callable[..., Any])


def kernel(function: Function) -> Function:
    """A part, linked into the outermost kernels, without the entries from Python and C that take longest to compile."""
    compiled = jit(nopython=True, no_cpython_wrapper=True, no_cfunc_wrapper=True)  # type: ignore[call-overload] # numba's stub lacks the last two
    return cast("Function", compiled(function))


def cached_kernel(function: Function) -> Function:
    """An outermost kernel, its machine code kept where numba keeps it.

    Numba renews it when its own file changes, not when a file does whose kernels it calls: it closes over `stamp()`.
    """
    return cast("Function", njit(cache=True, nogil=True)(function))


def stamp() -> int:
    """A number that changes with the text of any file of the codec."""
    return crc32(b"".join(file.read_bytes() for file in sorted(Path(__file__).parent.glob("*.py"))))
