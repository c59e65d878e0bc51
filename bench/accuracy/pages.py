"""The generated parts of docs/accuracy.md: each between two markers, replaced as a whole."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

PAGE: Final = Path("docs/accuracy.md")


@dataclass(frozen=True, slots=True)
class Part:
    """A titled table; `folded` opens on a click, because it is long."""

    title: str
    text: str
    folded: bool = False


@dataclass(frozen=True, slots=True)
class Section:
    """What stands between the markers of that name: who made it, and its tables."""

    name: str
    made_by: str
    parts: tuple[Part, ...]

    def as_text(self) -> str:
        """For a terminal."""
        return "\n".join((f"{self.name}: {self.made_by}\n", *(f"{part.title}\n\n{part.text}" for part in self.parts)))

    def as_page(self) -> str:
        """Markdown."""
        return "\n".join((f"Made by {self.made_by}.\n", *map(_on_page, self.parts)))


def write(section: Section, page: Path = PAGE) -> None:
    """Replace the section in the page. Raises LookupError when the page has no such markers."""
    page.write_text(replaced(page.read_text("utf-8"), section), "utf-8")


def replaced(page: str, section: Section) -> str:
    """The page's text with the section's in its place."""
    begin, end = f"<!-- {section.name}: begin, written by a command -->\n", f"<!-- {section.name}: end -->\n"
    before, found_begin, rest = page.partition(begin)
    _, found_end, after = rest.partition(end)
    if not (found_begin and found_end):
        raise LookupError(f"the page has no lines {begin.strip()} and {end.strip()}; add both where the tables belong")
    return f"{before}{begin}\n{section.as_page()}\n{end}{after}"


def _on_page(part: Part) -> str:
    if part.folded:
        return f"<details><summary>{part.title}</summary>\n\n{part.text}\n</details>\n"
    return f"{part.title}:\n\n{part.text}"
