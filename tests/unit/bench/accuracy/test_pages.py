from __future__ import annotations

import pytest

from bench.accuracy.pages import PAGE, Part, Section, replaced
from bench.accuracy.sections import BEAT_SECTIONS
from bench.accuracy.tables import table
from tests.docs.pages import text

SECTION = Section("x", "`make accuracy`, engine e-1", (Part("Totals", "| a |\n"), Part("Each", "| b |\n", folded=True)))
BEGIN, END = "<!-- x: begin, written by a command -->\n", "<!-- x: end -->\n"


def test_only_what_stands_between_the_markers_is_replaced() -> None:
    page = replaced(f"before\n{BEGIN}old\n{END}after\n", SECTION)
    assert page.startswith(f"before\n{BEGIN}\nMade by `make accuracy`, engine e-1.\n")
    assert page.endswith(f"\n{END}after\n")
    assert "old" not in page


def test_writing_twice_changes_nothing() -> None:
    once = replaced(f"{BEGIN}{END}", SECTION)
    assert replaced(once, SECTION) == once


def test_a_page_without_the_markers_is_refused() -> None:
    with pytest.raises(LookupError, match="add both"):
        replaced(f"{END}{BEGIN}", SECTION)


def test_every_section_that_commands_write_has_its_place_on_the_page() -> None:
    names = ["qtdb", "peers-mitdb", "peers-nstdb", "peers-qtdb", *(n for held in BEAT_SECTIONS.values() for n in held)]
    page = text(PAGE.as_posix())
    assert [name for name in names if name not in replaced(page, Section(name, name, ()))] == []


def test_tables_are_in_line() -> None:
    assert table(("name", "n"), [("a", "10"), ("long name", "2")]).splitlines() == [
        "| name      |  n |",
        "| :-------- | -: |",
        "| a         | 10 |",
        "| long name |  2 |",
    ]
