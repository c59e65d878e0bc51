"""A file's name reaches the browser whatever characters it has."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from api.downloads import attachment


def test_a_plain_name_is_kept() -> None:
    [(_, value)] = attachment("ecg 7.pdf").items()
    assert value == "attachment; filename=\"ecg 7.pdf\"; filename*=UTF-8''ecg%207.pdf"


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=50))
def test_no_name_can_break_the_header(name: str) -> None:
    [(_, value)] = attachment(name).items()
    assert value.isascii()
    assert value.isprintable()
    assert value.count('"') == 2
