"""The PDF report of a period: content in, bytes out; equal content gives equal bytes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from io import BytesIO
from itertools import islice
from typing import Final

from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas

from processors.report import text
from processors.report.burden import BURDEN_MM, draw_burden, has_burden
from processors.report.content import Episode, ReportContent, Strip
from processors.report.page import BODY_MM, PAGE_HEIGHT_MM, PAGE_WIDTH_MM, WARNING, body, draw_frame
from processors.report.paper import Place, draw_line, height_mm
from processors.report.summary import (
    EPISODE_ROW_MM,
    SUMMARY_MM,
    Panel,
    draw_episode,
    draw_summary,
    heading,
    needs_episode_pages,
)
from processors.report.text import MUTED, Style

_ROW_MM: Final = 35.0
_LOW_ROW_MM: Final = 25.0  # six leads to a page
_LEADS_ON_A_PAGE: Final = 6
_BETWEEN_MM: Final = 3.0
_EPISODE_HEAD_MM: Final = 8.0
_EPISODE_COLUMNS: Final = 2

Draw = Callable[[Canvas, Panel], None]


@dataclass(frozen=True, slots=True)
class _Part:
    """Something of a known height on a page."""

    height_mm: float
    draw: Draw


def render(content: ReportContent) -> bytes:
    """Draw the report on A4 landscape, as vectors, true to scale when printed at 100 %.

    Any content gives a document: what is absent is an en dash, a gap or a sentence. Strips longer than ten
    seconds go on in further lines, more than six leads on further pages.
    """
    pages = _paginate(_parts(content))
    canvas = _canvas(file := BytesIO(), content)
    for number, parts in enumerate(pages, start=1):
        draw_frame(canvas, content, number, len(pages))
        place = body()
        for part in parts:
            part.draw(canvas, place)
            place = place.below(part.height_mm + _BETWEEN_MM)
        canvas.showPage()
    canvas.save()
    return file.getvalue()


def _canvas(file: BytesIO, content: ReportContent) -> Canvas:
    size = (PAGE_WIDTH_MM * mm, PAGE_HEIGHT_MM * mm)
    canvas = Canvas(file, pagesize=size, invariant=1, pageCompression=1, initialFontName="Helvetica", lang="en")
    canvas.setTitle(f"ECG report {content.report_id}")
    canvas.setAuthor("Leadwire")
    canvas.setCreator(f"Leadwire, engine {text.printable(content.engine_version)}")
    canvas.setSubject(WARNING)
    canvas.setViewerPreference("PrintScaling", "None")  # "fit to page" would falsify 25 mm/s
    return canvas


def _parts(content: ReportContent) -> list[_Part]:
    strips = [_strip_part(line) for strip in content.strips for line in _lines(strip)]
    if not strips:
        strips = [_Part(_ROW_MM, _no_strips)]
    beside = [_Part(BURDEN_MM, partial(_burden, content))] if has_burden(content) else []
    first_episode_page = len(_paginate([_Part(SUMMARY_MM, _no_strips), *beside, *strips])) + 1
    listed = needs_episode_pages(content)
    summary = partial(_summary, content, first_episode_page if listed else None)
    return [_Part(SUMMARY_MM, summary), *beside, *strips, *(_episode_parts(content.episodes) if listed else ())]


def _paginate(parts: Sequence[_Part]) -> list[list[_Part]]:
    pages: list[list[_Part]] = []
    left_mm = 0.0
    for part in parts:
        if not pages or part.height_mm > left_mm:
            pages.append([])
            left_mm = BODY_MM
        pages[-1].append(part)
        left_mm -= part.height_mm + _BETWEEN_MM
    return pages


def _lines(strip: Strip) -> Iterator[Strip]:
    for line in strip.lines():
        for first in range(0, len(line.leads), _LEADS_ON_A_PAGE):
            yield line.lead_group(first, first + _LEADS_ON_A_PAGE)


def _strip_part(line: Strip) -> _Part:
    row_mm = _ROW_MM if len(line.leads) <= 2 else _LOW_ROW_MM
    return _Part(height_mm(len(line.leads), row_mm), partial(_draw_strip, line, row_mm))


def _draw_strip(line: Strip, row_mm: float, canvas: Canvas, place: Panel) -> None:
    draw_line(canvas, line, Place(place.left_pt, place.top_pt, row_mm))


def _summary(content: ReportContent, episodes_page: int | None, canvas: Canvas, place: Panel) -> None:
    draw_summary(canvas, content, place, episodes_page)


def _burden(content: ReportContent, canvas: Canvas, place: Panel) -> None:
    draw_burden(canvas, content, place)


def _no_strips(canvas: Canvas, place: Panel) -> None:
    said = "No signal of this period was kept, so there is no strip to show."
    middle = place.left_pt + place.width_pt / 2
    text.draw(canvas, middle, place.top_pt - 15 * mm, said, Style(10, color=MUTED), align="centre")


def _episode_parts(episodes: Sequence[Episode]) -> Iterator[_Part]:
    rows = int((BODY_MM - _EPISODE_HEAD_MM) // EPISODE_ROW_MM)
    rest = iter(episodes)
    while table := list(islice(rest, rows * _EPISODE_COLUMNS)):
        yield _Part(BODY_MM, partial(_episode_table, table, rows))


def _episode_table(table: Sequence[Episode], rows: int, canvas: Canvas, place: Panel) -> None:
    heading(canvas, "Episodes", place, "began (UTC), lasted, label, confidence")
    gap = 12 * mm
    width = (place.width_pt - gap * (_EPISODE_COLUMNS - 1)) / _EPISODE_COLUMNS
    for position, episode in enumerate(table):
        column, row = divmod(position, rows)
        left = place.left_pt + column * (width + gap)
        top = place.top_pt - (_EPISODE_HEAD_MM - 1 + row * EPISODE_ROW_MM) * mm
        draw_episode(canvas, episode, Panel(left, top, width))
