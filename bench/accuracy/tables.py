"""Markdown tables with columns in line, so that they read well on a terminal and on a page."""

from __future__ import annotations

from collections.abc import Sequence


def table(headings: Sequence[str], rows: Sequence[Sequence[str]], words: int = 1) -> str:
    """The first `words` columns to the left, the others to the right."""
    widths = [max(len(cells[i]) for cells in (headings, *rows)) for i in range(len(headings))]
    rule = [":" + "-" * (w - 1) if i < words else "-" * (w - 1) + ":" for i, w in enumerate(widths)]
    return "\n".join(_line(cells, widths, words) for cells in (headings, rule, *rows)) + "\n"


def figure(value: float | None, digits: int) -> str:
    """A number, or nothing where there is none."""
    return "" if value is None else f"{value:.{digits}f}"


def spread(mean: float | None, sd: float | None) -> str:
    """Mean ± sd, or nothing."""
    return "" if mean is None or sd is None else f"{mean:.1f} ± {sd:.1f}"


def _line(cells: Sequence[str], widths: Sequence[int], words: int) -> str:
    padded = zip(cells, widths, strict=True)
    return "| " + " | ".join(c.ljust(w) if i < words else c.rjust(w) for i, (c, w) in enumerate(padded)) + " |"
