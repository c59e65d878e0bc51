"""Kernels called one by one."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

from numba import njit


@cache
def alone(kernel: Callable[..., Any]) -> Callable[..., Any]:
    """The kernel with an entry from Python, which it has none of in the engine."""

    @njit(error_model="numpy")
    def call(*arguments: Any) -> Any:
        return kernel(*arguments)

    return call
