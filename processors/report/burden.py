"""The report's line of ectopic burden and heart rate variability, between the summary and the strips."""

from __future__ import annotations

from typing import Final

from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas

from processors.report import text
from processors.report.content import HrvMedians, ReportContent
from processors.report.paper import BEAT_COLORS
from processors.report.summary import Panel, heading
from processors.report.text import MUTED, Style
from schemas.beats import BeatClass
from schemas.burden import EctopicGroups

BURDEN_MM: Final = 12.0  # what the first page has left below two leads
_HEAD_MM: Final = 5.0
_ROW_MM: Final = 3.6
_BURDEN_WIDTH_MM: Final = 96.0
_GAP_MM: Final = 8.0

_LABEL_AND_FIGURE: Final = (
    (("SDNN", "sdnn_ms", 0, "ms"), ("RMSSD", "rmssd_ms", 0, "ms"), ("pNN50", "pnn50", 1, "%"),
     ("SD1 / SD2", "sd1_sd2", 2, ""), ("Sample entropy", "sample_entropy", 2, "")),
    (("LF", "lf_ms2", 0, "ms²"), ("HF", "hf_ms2", 0, "ms²"), ("LF/HF", "lf_hf", 2, ""), ("HF", "hf_nu", 0, "n.u."),
     ("DFA α1", "dfa_alpha1", 2, "")),
)  # fmt: skip


def has_burden(content: ReportContent) -> bool:
    """Whether there is anything to draw."""
    return bool(content.beat_counts) or content.hrv is not None


def draw_burden(canvas: Canvas, content: ReportContent, area: Panel) -> None:
    """Two panels side by side, BURDEN_MM high."""
    _ectopic(canvas, content, Panel(area.left_pt, area.top_pt, _BURDEN_WIDTH_MM * mm))
    if content.hrv is not None:
        left = area.left_pt + (_BURDEN_WIDTH_MM + _GAP_MM) * mm
        _variability(canvas, content.hrv, Panel(left, area.top_pt, area.right_pt - left))


def _ectopic(canvas: Canvas, content: ReportContent, panel: Panel) -> None:
    heading(canvas, "Ectopic burden", panel, "per hour analysed, couplets, runs")
    rows: tuple[tuple[BeatClass, str], ...] = (("S", "Premature atrial"), ("V", "Premature ventricular"))
    hours = content.analysed_s / 3600
    for position, (name, label) in enumerate(rows):
        y = panel.below(_HEAD_MM + position * _ROW_MM).top_pt - 3.2 * mm
        text.draw(canvas, panel.left_pt, y, name, Style(8, bold=True, color=BEAT_COLORS[name]))
        text.draw(canvas, panel.left_pt + 5 * mm, y, label, Style(8, color=MUTED), room_pt=36 * mm)
        count, groups = content.beat_counts.get(name, 0), content.ectopic_groups.get(name, EctopicGroups())
        rate = text.figure(count / hours, 1) if hours else text.NONE
        for told, right_mm in ((f"{rate} /h", 32), (f"couplets {groups.couplets}", 14), (f"runs {groups.runs}", 0)):
            text.draw(canvas, panel.right_pt - right_mm * mm, y, told, Style(8, bold=right_mm == 32), align="right")


def _variability(canvas: Canvas, hrv: HrvMedians, panel: Panel) -> None:
    without = f"; {hrv.refused} more without figures" if hrv.refused else ""
    heading(canvas, "Heart rate variability", panel, f"5-minute stretches: medians of {hrv.stretches}{without}")
    for position, row in enumerate(_LABEL_AND_FIGURE):
        y = panel.below(_HEAD_MM + position * _ROW_MM).top_pt - 3.2 * mm
        width = panel.width_pt / len(row)
        for column, (label, name, digits, unit) in enumerate(row):
            left = panel.left_pt + column * width
            value = f"{text.figure(hrv.figures.get(name), digits)} {unit}".strip()
            text.draw(canvas, left, y, label, Style(8, color=MUTED), room_pt=width)
            right = left + width - (0 if column == len(row) - 1 else 3 * mm)
            text.draw(canvas, right, y, value, Style(8, bold=True), align="right")
