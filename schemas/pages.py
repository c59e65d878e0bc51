"""Pages: how lists are cut."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Final, Generic, TypeVar

from pydantic import Field

Item = TypeVar("Item")
Other = TypeVar("Other")

Cursor = Annotated[str | None, Field(exclude_if=lambda cursor: cursor is None)]
"""Where the next page begins; left out of an answer where there is none."""

MAX_LIMIT: Final = 500

MAX_OFFSET: Final = 10_000
"""How many items a page may lie behind: the database walks past each of them. Deeper ones are reached by `next`."""

EXACT_TOTAL: Final = 10_000
"""Up to here a list is counted; beyond, counting would take longer than the page itself."""


@dataclass(frozen=True, slots=True)
class PageRequest:
    """Page `page` (from 1) of `limit` items (1 to MAX_LIMIT), or the `limit` items that follow the cursor `after`."""

    page: int = 1
    limit: int = 50
    after: str | None = None

    @property
    def offset(self) -> int:
        """Items before this page; none are passed over when a cursor says where it begins."""
        return 0 if self.after is not None else (self.page - 1) * self.limit


@dataclass(frozen=True, slots=True)
class Page(Generic[Item]):
    """One page, and how many items there are in all: counted, or about so many where `total_is_exact` is false.

    `next` is the cursor to ask for what follows with; the last page has none.
    """

    items: list[Item]
    page: int
    limit: int
    total: int
    total_is_exact: bool = True
    next: Cursor = None

    def map(self, change: Callable[[Item], Other]) -> Page[Other]:
        """The same page of other items."""
        items = [change(item) for item in self.items]
        return Page(items, self.page, self.limit, self.total, self.total_is_exact, self.next)
