"""Pages lie side by side: none overlaps, none is left out."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from schemas.pages import MAX_LIMIT, PageRequest


@given(page=st.integers(1, 10**6), limit=st.integers(1, MAX_LIMIT))
def test_a_page_begins_where_the_one_before_ends(page: int, limit: int) -> None:
    assert PageRequest(page + 1, limit).offset == PageRequest(page, limit).offset + limit


def test_the_first_page_begins_at_the_first_item() -> None:
    assert PageRequest().offset == 0
