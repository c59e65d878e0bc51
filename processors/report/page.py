"""What every page of a report has: who, what and when on top; the warning, the source and the number below."""

from __future__ import annotations

from typing import Final

from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas

from processors.report import text
from processors.report.content import ReportContent
from processors.report.paper import PAPER_MM
from processors.report.summary import Panel
from processors.report.text import ACCENT, FAINT, MUTED, Style

PAGE_WIDTH_MM: Final = 297.0
PAGE_HEIGHT_MM: Final = 210.0
SIDE_MM: Final = (PAGE_WIDTH_MM - PAPER_MM) / 2
_TOP_MM: Final = 7.0
_HEADER_MM: Final = 15.0
_FOOTER_MM: Final = 11.0
BODY_MM: Final = PAGE_HEIGHT_MM - _TOP_MM - _HEADER_MM - _FOOTER_MM

WARNING: Final = "Research use: not for diagnosis or primary alarms"


def body() -> Panel:
    """What is left between header and footer, BODY_MM high."""
    return Panel(SIDE_MM * mm, (PAGE_HEIGHT_MM - _TOP_MM - _HEADER_MM) * mm, PAPER_MM * mm)


def draw_frame(canvas: Canvas, content: ReportContent, number: int, pages: int) -> None:
    """Header and footer of page `number` of `pages`."""
    _header(canvas, content)
    _footer(canvas, content, number, pages)


def _header(canvas: Canvas, content: ReportContent) -> None:
    left, right = SIDE_MM * mm, (PAGE_WIDTH_MM - SIDE_MM) * mm
    upper, lower = (PAGE_HEIGHT_MM - _TOP_MM - 5) * mm, (PAGE_HEIGHT_MM - _TOP_MM - 9.6) * mm
    middle = left + 108 * mm
    small = Style(8, color=MUTED)
    name = content.patient.name
    shown = text.words(name) if name and name.strip() else "Name not given"
    text.draw(canvas, left, upper, shown, Style(14, bold=True), room_pt=102 * mm)
    text.draw(canvas, left, lower, _patient_line(content), small, room_pt=102 * mm)
    text.draw(canvas, middle, upper, text.words(content.device.name), Style(9.5), room_pt=58 * mm)
    serial = f"Device serial {text.words(content.device.serial)}"
    text.draw(canvas, middle, lower, serial, small, room_pt=58 * mm)
    text.draw(canvas, right, upper, "ECG report", Style(9.5, bold=True, color=ACCENT), align="right")
    start, end = text.moment(content.period_start_us), text.moment(content.period_end_us)
    text.draw(canvas, right, lower, f"{start}  to  {end} UTC", small, align="right", room_pt=90 * mm)
    canvas.setStrokeColor(ACCENT)
    canvas.setLineWidth(1.2)
    canvas.line(left, lower - 2.4 * mm, right, lower - 2.4 * mm)


def _patient_line(content: ReportContent) -> str:
    patient = content.patient
    age = text.NONE if patient.age is None else f"{patient.age} years"
    return f"{age}  ·  {text.words(patient.gender)}  ·  Patient ID {text.words(patient.patient_id)}"


def _footer(canvas: Canvas, content: ReportContent, number: int, pages: int) -> None:
    left, right = SIDE_MM * mm, (PAGE_WIDTH_MM - SIDE_MM) * mm
    y = 5.5 * mm
    canvas.setStrokeColor(FAINT)
    canvas.setLineWidth(0.5)
    canvas.line(left, y + 3.5 * mm, right, y + 3.5 * mm)
    text.draw(canvas, left, y, WARNING, Style(8, bold=True))
    source = f"Engine {content.engine_version}  ·  Report {content.report_id}"
    made = f"{source}  ·  made {text.moment(content.created_at_us)} UTC"
    text.draw(canvas, left + 78 * mm, y, made, Style(6.8, color=MUTED), room_pt=155 * mm)
    text.draw(canvas, right, y, f"Page {number} of {pages}", Style(8, color=MUTED), align="right")
