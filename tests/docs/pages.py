"""The documentation's pages as text, and what of them a promise is about."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]

_LINK: Final = re.compile(r"\]\(([^)\s]+)\)")
_FENCE: Final = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_HEADING: Final = re.compile(r"^#+ (.+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Link:
    """A link of a page to another file of the repository; `anchor` is "" when it names no heading."""

    page: Path
    target: Path
    anchor: str


def text(path: str) -> str:
    """One page, by its path from the root."""
    return (ROOT / path).read_text("utf-8")


def pages() -> list[Path]:
    """Every page of documentation."""
    return sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])


def section(page: str, heading: str) -> str:
    """The text under the heading that begins so, up to the next heading of its level. Fails when there is none."""
    found = re.search(rf"^(#+) {re.escape(heading)}\b.*?\n(.*?)(?=^\1 |\Z)", text(page), re.MULTILINE | re.DOTALL)
    assert found, f"{page} has no heading {heading!r}; add it"
    return found[2]


def first_cells(page: str) -> set[str]:
    """What stands in backticks in the first cell of each row of a page's tables."""
    rows = (line.split("|")[1] for line in text(page).splitlines() if line.startswith("| "))
    return {name for cell in rows for name in re.findall(r"`([^`]+)`", cell)}


def fenced(page: str, language: str) -> list[str]:
    """The page's code blocks in a language."""
    return [body for kind, body in _FENCE.findall(text(page)) if kind == language]


def links() -> Iterator[Link]:
    """Every link that stays inside the repository."""
    for page in pages():
        for href in _LINK.findall(_FENCE.sub("", page.read_text("utf-8"))):
            if not href.startswith(("http:", "https:", "mailto:")):
                path, _, anchor = href.partition("#")
                yield Link(page, (page.parent / path).resolve() if path else page, anchor)


def anchors(page: Path) -> set[str]:
    """The names by which a page's headings are linked to."""
    headings = _HEADING.findall(page.read_text("utf-8"))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
