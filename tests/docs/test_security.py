"""docs/security.md answers every item, and names only tests that exist."""

from __future__ import annotations

import re
from typing import Final

import pytest

from tests.docs.pages import ROOT, section, text

PAGE: Final = "docs/security.md"
OWASP: Final = [f"API{number}" for number in range(1, 11)]
HIPAA: Final = [
    "(a)(1)", "(a)(2)(i)", "(a)(2)(ii)", "(a)(2)(iii)", "(a)(2)(iv)", "(b)", "(c)(1)", "(c)(2)", "(d)", "(e)(1)",
    "(e)(2)(i)", "(e)(2)(ii)",
]  # fmt: skip
NAMED: Final = sorted(set(re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", text(PAGE))))


def headings() -> list[str]:
    return [line.removeprefix("### ").split(" ")[0] for line in text(PAGE).splitlines() if line.startswith("### ")]


def test_every_item_is_answered_in_its_order() -> None:
    assert headings() == [*OWASP, *HIPAA]


@pytest.mark.parametrize("part", re.split(r"^### ", text(PAGE), flags=re.MULTILINE)[1:], ids=lambda part: part[:12])
def test_every_item_names_a_test_that_shows_it(part: str) -> None:
    assert re.search(r"^- `tests/[\w/]+\.py::test_\w+`$", part, re.MULTILINE)


@pytest.mark.parametrize(("file", "test"), NAMED)
def test_a_test_that_is_named_exists(file: str, test: str) -> None:
    assert re.search(rf"^(async )?def {test}\(", (ROOT / file).read_text("utf-8"), re.MULTILINE)


def test_it_says_what_is_missing() -> None:
    assert "Gap" in section(PAGE, "HIPAA, 45 CFR")
