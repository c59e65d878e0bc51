"""ECG paper: a strip drawn true to scale, 25 mm to the second and 10 mm to the millivolt."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray
from reportlab.lib.colors import Color, HexColor
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas

from processors.report import text
from processors.report.content import LINE_S, BeatMark, Strip
from processors.report.text import ACCENT, INK, MUTED, Style
from schemas.beats import BeatClass
from schemas.samples import MISSING

SPEED_MM_S: Final = 25.0
GAIN_MM_MV: Final = 10.0
CALIBRATION_MM: Final = 10.0
PAPER_MM: Final = CALIBRATION_MM + SPEED_MM_S * LINE_S
CAPTION_MM: Final = 5.5
MARKS_MM: Final = 5.5
TIMES_MM: Final = 4.0

BEAT_COLORS: Final[dict[BeatClass, Color]] = {
    "N": HexColor(0x2F3B48), "S": HexColor(0xB45309), "V": HexColor(0xB4141E), "F": HexColor(0x6D28A8),
    "Q": HexColor(0x6B7280),
}  # fmt: skip
_SQUARE: Final = HexColor(0xF7DADA)
_BIG_SQUARE: Final = HexColor(0xECAFAF)
_TRACE_PT: Final = 0.75


@dataclass(frozen=True, slots=True)
class Place:
    """Where a line of paper stands on the page, from its top left corner, in points; `row_mm` per lead."""

    left_pt: float
    top_pt: float
    row_mm: float


def height_mm(leads: int, row_mm: float) -> float:
    """What one line of paper takes on the page, with its caption, beat marks and times."""
    return CAPTION_MM + MARKS_MM + leads * row_mm + TIMES_MM


def draw_line(canvas: Canvas, line: Strip, place: Place) -> None:
    """Draw at most LINE_S of a strip: caption, beat marks, one row of paper per lead, times.

    Missing samples stay blank; what exceeds its row is cut off there and said so.
    """
    paper_top = place.top_pt - (CAPTION_MM + MARKS_MM) * mm
    height_pt = len(line.leads) * place.row_mm * mm
    signal_left = place.left_pt + CALIBRATION_MM * mm
    _caption(canvas, line, place)
    _grid(canvas, place.left_pt, paper_top - height_pt, height_pt)
    for row in range(len(line.leads)):
        bottom = paper_top - (row + 1) * place.row_mm * mm
        _row(canvas, line, row, Place(place.left_pt, bottom + place.row_mm * mm, place.row_mm))
    _beat_marks(canvas, line, signal_left, paper_top)
    _times(canvas, line, signal_left, paper_top - height_pt)


def _caption(canvas: Canvas, line: Strip, place: Place) -> None:
    y = place.top_pt - 3.2 * mm
    right = place.left_pt + PAPER_MM * mm
    text.draw(canvas, place.left_pt, y, line.title, Style(8.5, bold=True, color=ACCENT), room_pt=100 * mm)
    seconds = text.duration(line.count / line.rate_hz)
    said = f"{text.moment(line.started_at_us)} UTC  ·  {seconds}  ·  {line.rate_hz:g} Hz  ·  25 mm/s  ·  10 mm/mV"
    text.draw(canvas, right, y, said, Style(7, color=MUTED), align="right")


def _grid(canvas: Canvas, left_pt: float, bottom_pt: float, height_pt: float) -> None:
    canvas.saveState()
    for spacing_mm, color, width in ((1.0, _SQUARE, 0.25), (5.0, _BIG_SQUARE, 0.5)):
        path = canvas.beginPath()
        for x in _marks(PAPER_MM, spacing_mm):
            path.moveTo(left_pt + x * mm, bottom_pt)
            path.lineTo(left_pt + x * mm, bottom_pt + height_pt)
        for y in _marks(height_pt / mm, spacing_mm):
            path.moveTo(left_pt, bottom_pt + y * mm)
            path.lineTo(left_pt + PAPER_MM * mm, bottom_pt + y * mm)
        canvas.setStrokeColor(color)
        canvas.setLineWidth(width)
        canvas.drawPath(path)
    canvas.restoreState()


def _marks(length_mm: float, spacing_mm: float) -> NDArray[np.float64]:
    return np.arange(round(length_mm / spacing_mm) + 1, dtype=np.float64) * spacing_mm


def _row(canvas: Canvas, line: Strip, row: int, place: Place) -> None:
    heights_mm = _centred(line.millivolts(row)) * GAIN_MM_MV
    bottom = place.top_pt - place.row_mm * mm
    base_mm = _baseline_mm(heights_mm, place.row_mm)
    _calibration(canvas, place.left_pt, bottom + base_mm * mm)
    signal_left = place.left_pt + CALIBRATION_MM * mm
    canvas.saveState()
    window = canvas.beginPath()
    window.rect(signal_left, bottom, (PAPER_MM - CALIBRATION_MM) * mm, place.row_mm * mm)
    canvas.clipPath(window, stroke=0, fill=0)
    step_pt = SPEED_MM_S * mm / line.rate_hz
    _trace(canvas, heights_mm * mm + bottom + base_mm * mm, signal_left, step_pt)
    canvas.restoreState()
    label_y = place.top_pt - 3.4 * mm
    text.draw(canvas, place.left_pt + 1 * mm, label_y, line.leads[row], Style(8.5, bold=True), room_pt=8.5 * mm)
    _remark(canvas, heights_mm, base_mm, place)


def _centred(signal_mv: NDArray[np.float64]) -> NDArray[np.float64]:
    """The signal about its median, as paper recorders show it: the electrodes' offset says nothing."""
    present = signal_mv[np.isfinite(signal_mv)]
    return signal_mv - (float(np.median(present)) if present.size else 0.0)


def _baseline_mm(heights_mm: NDArray[np.float64], row_mm: float) -> float:
    """The heavy grid line for the baseline that cuts off least, the middlemost of equals; 15 mm stay above it."""
    lines = _marks(row_mm - 20, 5.0) + 5.0 if row_mm >= 20 else np.array([row_mm / 2])
    present = heights_mm[np.isfinite(heights_mm)]
    if not present.size:
        return float(lines[-1])
    above = np.maximum(0.0, present.max() + lines - row_mm)
    below = np.maximum(0.0, -present.min() - lines)
    return float(lines[np.lexsort((np.abs(lines - row_mm / 2), above + below))[0]])


def _calibration(canvas: Canvas, left_pt: float, base_pt: float) -> None:
    """1 mV for 200 ms, before the signal."""
    path = canvas.beginPath()
    path.moveTo(left_pt + 1.5 * mm, base_pt)
    for x, y in ((2.5, 0.0), (2.5, GAIN_MM_MV), (7.5, GAIN_MM_MV), (7.5, 0.0), (8.5, 0.0)):
        path.lineTo(left_pt + x * mm, base_pt + y * mm)
    _stroke(canvas, path)


def _trace(canvas: Canvas, y_pt: NDArray[np.float64], left_pt: float, step_pt: float) -> None:
    """One pen stroke for each run of samples without a gap."""
    path = canvas.beginPath()
    present = np.isfinite(y_pt)
    starts = np.flatnonzero(present & ~np.concatenate(([False], present[:-1])))
    ends = np.flatnonzero(present & ~np.concatenate((present[1:], [False]))) + 1
    for start, end in zip(starts.tolist(), ends.tolist(), strict=True):
        path.moveTo(left_pt + start * step_pt, float(y_pt[start]))
        for index in range(start + (end - start > 1), end):  # a lone sample is a line to itself: a dot
            path.lineTo(left_pt + index * step_pt, float(y_pt[index]))
    if starts.size:
        _stroke(canvas, path)


def _stroke(canvas: Canvas, path: object) -> None:
    canvas.setStrokeColor(INK)
    canvas.setLineWidth(_TRACE_PT)
    canvas.setLineJoin(1)
    canvas.setLineCap(1)
    canvas.drawPath(path)


def _remark(canvas: Canvas, heights_mm: NDArray[np.float64], base_mm: float, place: Place) -> None:
    present = heights_mm[np.isfinite(heights_mm)]
    if not present.size:
        said = "no signal"
    elif present.max() + base_mm > place.row_mm or present.min() + base_mm < 0:
        said = "cut off at the row's edge"
    else:
        return
    right = place.left_pt + (PAPER_MM - 1) * mm
    text.draw(canvas, right, place.top_pt - 3 * mm, said, Style(6.5, color=MUTED), align="right")


def _beat_marks(canvas: Canvas, line: Strip, left_pt: float, paper_top_pt: float) -> None:
    """A tick and the class over each R peak, and between two the RR interval in ms."""
    marks = sorted(line.beats, key=lambda mark: mark.r_index)
    if marks:
        legend_left = left_pt - CALIBRATION_MM * mm
        text.draw(canvas, legend_left, paper_top_pt + 2.1 * mm, "RR (ms)", Style(5.5, color=MUTED))
    step_pt = SPEED_MM_S * mm / line.rate_hz
    for mark in marks:
        x = left_pt + (mark.r_index - line.first_index) * step_pt
        color = BEAT_COLORS[mark.beat_class]
        canvas.setStrokeColor(color)
        canvas.setLineWidth(0.8)
        canvas.line(x, paper_top_pt, x, paper_top_pt + 1.4 * mm)
        style = Style(7, bold=mark.beat_class != "N", color=color)
        text.draw(canvas, x, paper_top_pt + 2.0 * mm, mark.beat_class, style, align="centre")
    for first, second in pairwise(marks):
        _interval(canvas, line, first, second, left_pt, paper_top_pt)


def _interval(
    canvas: Canvas, line: Strip, first: BeatMark, second: BeatMark, left_pt: float, paper_top_pt: float
) -> None:
    between = line.samples[:, first.r_index - line.first_index : second.r_index - line.first_index]
    rr_s = (second.r_index - first.r_index) / line.rate_hz
    if rr_s < 0.25 or bool((between == MISSING).all(axis=0).any()):
        return  # no room for the figure, or a beat may be hidden in a gap
    x = left_pt + ((first.r_index + second.r_index) / 2 - line.first_index) * SPEED_MM_S * mm / line.rate_hz
    style = Style(5.5, color=MUTED)
    text.draw(canvas, x, paper_top_pt + 2.1 * mm, f"{rr_s * 1000:.0f}", style, align="centre")


def _times(canvas: Canvas, line: Strip, left_pt: float, bottom_pt: float) -> None:
    """A tick and the time of day at each whole second, UTC."""
    canvas.setStrokeColor(MUTED)
    canvas.setLineWidth(0.5)
    end_us = line.started_at_us + LINE_S * 1e6
    second = math.ceil(line.started_at_us / 1e6)
    while second * 1e6 < end_us:
        x = left_pt + (second * 1e6 - line.started_at_us) / 1e6 * SPEED_MM_S * mm
        canvas.line(x, bottom_pt, x, bottom_pt - 1 * mm)
        style = Style(5.5, color=MUTED)
        text.draw(canvas, x, bottom_pt - 3.2 * mm, text.clock(second * 1_000_000), style, align="centre")
        second += 1
