"""The report's tables: figures, rhythm, beats, signal and episodes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas

from processors.report import text
from processors.report.content import Episode, Figures, ReportContent, RhythmShare
from processors.report.paper import BEAT_COLORS
from processors.report.text import ACCENT, FAINT, INK, MUTED, Style
from schemas.beats import BeatClass
from schemas.rhythms import NORMAL

SUMMARY_MM: Final = 74.0
EPISODE_ROW_MM: Final = 5.0
_HEAD_MM: Final = 7.5
_ROW_MM: Final = 5.6
_FIGURE_ROW_MM: Final = 5.0  # nine of them stand below the heart rate
_LOWER_MM: Final = _HEAD_MM + 5 * _ROW_MM + 2  # where the lower tables begin, in line with each other
_SHOWN_RHYTHMS: Final = 4
_SHOWN_EPISODES: Final = 5

_CLASS_NAMES: Final[dict[BeatClass, str]] = {
    "N": "Normal", "S": "Supraventricular ectopic", "V": "Ventricular ectopic", "F": "Fusion",
    "Q": "Unknown or paced",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Panel:
    """A column on the page, in points, measured from its top left corner."""

    left_pt: float
    top_pt: float
    width_pt: float

    @property
    def right_pt(self) -> float:
        return self.left_pt + self.width_pt

    def below(self, distance_mm: float) -> Panel:
        return Panel(self.left_pt, self.top_pt - distance_mm * mm, self.width_pt)


def draw_summary(canvas: Canvas, content: ReportContent, area: Panel, episodes_page: int | None) -> None:
    """The first page's block, SUMMARY_MM high: three columns. `episodes_page` is where all episodes stand."""
    gap = 8 * mm
    widths = (72 * mm, 104 * mm, area.width_pt - 176 * mm - 2 * gap)
    left = area.left_pt
    for width, fill in zip(widths, (_measured, _rhythms_and_episodes, _beats_and_signal), strict=True):
        fill(canvas, content, Panel(left, area.top_pt, width), episodes_page)
        left += width + gap


def heading(canvas: Canvas, title: str, panel: Panel, note: str = "") -> None:
    text.draw(canvas, panel.left_pt, panel.top_pt - 3.4 * mm, title, Style(8.5, bold=True, color=ACCENT))
    text.draw(canvas, panel.right_pt, panel.top_pt - 3.4 * mm, note, Style(7, color=MUTED), align="right")
    _rule(canvas, panel.below(5))


def _rule(canvas: Canvas, panel: Panel) -> None:
    canvas.setStrokeColor(FAINT)
    canvas.setLineWidth(0.5)
    canvas.line(panel.left_pt, panel.top_pt, panel.right_pt, panel.top_pt)


def _row(canvas: Canvas, panel: Panel, label: str, value: str, unit: str = "") -> None:
    y = panel.top_pt - 3.6 * mm
    text.draw(canvas, panel.left_pt, y, label, Style(8.5, color=MUTED), room_pt=panel.width_pt - 32 * mm)
    text.draw(canvas, panel.right_pt - 11 * mm, y, value, Style(9, bold=True), align="right")
    text.draw(canvas, panel.right_pt - 9.5 * mm, y, unit, Style(8, color=MUTED))


def _measured(canvas: Canvas, content: ReportContent, panel: Panel, _page: int | None) -> None:
    heading(canvas, "Measurements", panel, "mean of the period")
    figures = content.figures
    _heart_rate(canvas, figures, panel.below(_HEAD_MM))
    st_levels = (text.figure(level, 2, signed=True) for level in (figures.st_mv, figures.st80_mv))
    axes = (text.figure(axis) for axis in (figures.p_axis_deg, figures.qrs_axis_deg, figures.t_axis_deg))
    rows = (
        ("PR interval", text.figure(figures.pr_ms), "ms"),
        ("QRS duration", text.figure(figures.qrs_ms), "ms"),
        ("QT interval", text.figure(figures.qt_ms), "ms"),
        ("QTc Bazett", text.figure(figures.qtc_bazett_ms), "ms"),
        ("QTc Fridericia", text.figure(figures.qtc_ms), "ms"),
        ("QTc Framingham", text.figure(figures.qtc_framingham_ms), "ms"),
        ("QTc Hodges", text.figure(figures.qtc_hodges_ms), "ms"),
        ("ST at J+60 / J+80", " / ".join(st_levels), "mV"),
        ("Axis P / QRS / T", " / ".join(axes), "°"),
    )
    for position, (label, value, unit) in enumerate(rows):
        _row(canvas, panel.below(_HEAD_MM + 20 + position * _FIGURE_ROW_MM), label, value, unit)


def _heart_rate(canvas: Canvas, figures: Figures, panel: Panel) -> None:
    baseline = panel.top_pt - 11.5 * mm
    mean, large = text.figure(figures.heart_rate_mean_bpm), Style(30, bold=True)
    text.draw(canvas, panel.left_pt, baseline, mean, large)
    unit_left = panel.left_pt + text.width_pt(mean, large) + 1.5 * mm
    text.draw(canvas, unit_left, baseline, "bpm", Style(9, color=MUTED))
    text.draw(canvas, panel.left_pt, baseline - 4.5 * mm, "Heart rate", Style(8.5, color=MUTED))
    extremes = (("max", figures.heart_rate_max_bpm, 6.5), ("min", figures.heart_rate_min_bpm, 0.0))
    for label, value, above_mm in extremes:
        y = baseline + above_mm * mm
        text.draw(canvas, panel.right_pt - 24 * mm, y, label, Style(8.5, color=MUTED))
        text.draw(canvas, panel.right_pt - 11 * mm, y, text.figure(value), Style(9, bold=True), align="right")
        text.draw(canvas, panel.right_pt - 9.5 * mm, y, "bpm", Style(8, color=MUTED))


def _rhythms_and_episodes(canvas: Canvas, content: ReportContent, panel: Panel, page: int | None) -> None:
    heading(canvas, "Rhythm", panel, "share of the labelled time")
    shares = sorted(content.rhythms, key=lambda share: -share.seconds)
    total_s = sum(share.seconds for share in shares)
    if not total_s:
        _empty(canvas, panel.below(_HEAD_MM), "No rhythm could be stated.")
    for position, share in enumerate(_folded(shares) if total_s else []):
        _share(canvas, share, total_s, panel.below(_HEAD_MM + position * _ROW_MM))
    lower = panel.below(_LOWER_MM)
    heading(canvas, "Episodes", lower, _where(content.episodes, page))
    if not content.episodes:
        _empty(canvas, lower.below(_HEAD_MM), "No episode in this period.")
    for position, episode in enumerate(content.episodes[:_SHOWN_EPISODES]):
        draw_episode(canvas, episode, lower.below(_HEAD_MM - 1.2 + position * EPISODE_ROW_MM))


def _folded(shares: Sequence[RhythmShare]) -> list[RhythmShare]:
    """The largest shares, the rest as one, so that they always fit and always add up."""
    if len(shares) <= _SHOWN_RHYTHMS:
        return list(shares)
    rest = sum(share.seconds for share in shares[_SHOWN_RHYTHMS - 1 :])
    return [*shares[: _SHOWN_RHYTHMS - 1], RhythmShare("Other labels", rest)]


def _share(canvas: Canvas, share: RhythmShare, total_s: float, panel: Panel) -> None:
    y, part = panel.top_pt - 3.6 * mm, share.seconds / total_s
    text.draw(canvas, panel.left_pt, y, share.label, Style(8.5), room_pt=44 * mm)
    bar_left, bar_pt = panel.left_pt + 46 * mm, 26 * mm
    canvas.setFillColor(FAINT)
    canvas.rect(bar_left, y - 0.2 * mm, bar_pt, 2.4 * mm, stroke=0, fill=1)
    canvas.setFillColor(ACCENT if share.label == NORMAL else BEAT_COLORS["S"])
    canvas.rect(bar_left, y - 0.2 * mm, bar_pt * part, 2.4 * mm, stroke=0, fill=1)
    percent = text.share(part)
    text.draw(canvas, bar_left + bar_pt + 13 * mm, y, percent, Style(8.5, bold=True), align="right")
    text.draw(canvas, panel.right_pt, y, text.duration(share.seconds), Style(8, color=MUTED), align="right")


def _where(episodes: Sequence[Episode], page: int | None) -> str:
    if page is None or len(episodes) <= _SHOWN_EPISODES:
        return f"{len(episodes)}" if episodes else ""
    return f"first {_SHOWN_EPISODES} of {len(episodes)}, all from page {page}"


def needs_episode_pages(content: ReportContent) -> bool:
    return len(content.episodes) > _SHOWN_EPISODES


def draw_episode(canvas: Canvas, episode: Episode, panel: Panel) -> None:
    """One line: when, how long, what, how sure."""
    y = panel.top_pt - 3.6 * mm
    label_left = panel.left_pt + 48 * mm
    text.draw(canvas, panel.left_pt, y, text.moment(episode.started_at_us), Style(8, color=MUTED))
    seconds = max(0, episode.ended_at_us - episode.started_at_us) / 1e6
    text.draw(canvas, label_left - 3 * mm, y, text.duration(seconds), Style(8, color=MUTED), align="right")
    text.draw(
        canvas, label_left, y, episode.label, Style(8.5, color=INK), room_pt=panel.right_pt - label_left - 12 * mm
    )
    sure = f"{text.figure(episode.confidence)} %"
    text.draw(canvas, panel.right_pt, y, sure, Style(8, color=MUTED), align="right")


def _empty(canvas: Canvas, panel: Panel, said: str) -> None:
    text.draw(canvas, panel.left_pt, panel.top_pt - 3.6 * mm, said, Style(8.5, color=MUTED))


def _beats_and_signal(canvas: Canvas, content: ReportContent, panel: Panel, _page: int | None) -> None:
    total = sum(content.beat_counts.values())
    heading(canvas, "Beats (AAMI classes)", panel, f"{total:,} in all".replace(",", " "))
    for position, (beat_class, name) in enumerate(_CLASS_NAMES.items()):
        row = panel.below(_HEAD_MM + position * _ROW_MM)
        _class(canvas, beat_class, name, content.beat_counts.get(beat_class, 0), total, row)
    lower = panel.below(_LOWER_MM)
    heading(canvas, "Signal", lower)
    period_s = max(0, content.period_end_us - content.period_start_us) / 1e6
    part = content.analysed_s / period_s * 100 if period_s else None
    quality = content.quality * 100 if content.quality is not None else None
    rows = (
        ("Period", text.duration(period_s)),
        ("Analysed", f"{text.duration(content.analysed_s)} ({text.figure(part)} %)"),
        ("Mean quality", f"{text.figure(quality)} %"),
    )
    for position, (label, value) in enumerate(rows):
        y = lower.below(_HEAD_MM + position * _ROW_MM).top_pt - 3.6 * mm
        text.draw(canvas, lower.left_pt, y, label, Style(8.5, color=MUTED))
        text.draw(canvas, lower.right_pt, y, value, Style(9, bold=True), align="right", room_pt=50 * mm)


def _class(canvas: Canvas, beat_class: BeatClass, name: str, count: int, total: int, panel: Panel) -> None:
    y = panel.top_pt - 3.6 * mm
    text.draw(canvas, panel.left_pt, y, beat_class, Style(8.5, bold=True, color=BEAT_COLORS[beat_class]))
    text.draw(canvas, panel.left_pt + 5 * mm, y, name, Style(8.5, color=MUTED))
    counted = f"{count:,}".replace(",", " ")
    text.draw(canvas, panel.right_pt - 14 * mm, y, counted, Style(9, bold=True), align="right")
    percent = text.share(count / total) if total else text.NONE
    text.draw(canvas, panel.right_pt, y, percent, Style(8, color=MUTED), align="right")
