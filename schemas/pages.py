"""Pages: how lists are cut."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Generic, TypeVar

Item = TypeVar("Item")

MAX_LIMIT: Final = 500


@dataclass(frozen=True, slots=True)
class PageRequest:
    """Page `page` (from 1) of `limit` items (1 to MAX_LIMIT)."""

    page: int = 1
    limit: int = 50

    @property
    def offset(self) -> int:
        return (self.page - 1) * self.limit


@dataclass(frozen=True, slots=True)
class Page(Generic[Item]):
    """One page, and how many items there are in all."""

    items: list[Item]
    page: int
    limit: int
    total: int
