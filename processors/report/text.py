"""Text on a report: one embedded typeface, fitted to its place, and figures as a person writes them."""

from __future__ import annotations

import math
import unicodedata
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Final, Literal

from reportlab.lib.colors import Color, HexColor
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas

from schemas.clock import to_datetime

INK: Final = HexColor(0x16202C)
MUTED: Final = HexColor(0x5B6775)
FAINT: Final = HexColor(0xC9D0D8)
ACCENT: Final = HexColor(0x0B3C5D)

NONE: Final = "–"
_UNKNOWN: Final = "?"
_CONDENSED: Final = 90  # percent; the typeface is wide, and tables are narrow
_SMALLEST: Final = 0.7  # of the wished size, before a text that is too long is cut


@dataclass(frozen=True, slots=True)
class Style:
    """How a text is set."""

    size_pt: float
    bold: bool = False
    color: Color = INK


@cache
def font_name(bold: bool) -> str:
    """The typeface's name in reportlab's register, put there on first use.

    DejaVu Sans (Latin, Greek, Cyrillic, Armenian, Georgian) out of matplotlib, which wfdb needs anyway; without it
    its ancestor Vera (Western Latin), which reportlab carries.
    """
    name = "ReportSans-Bold" if bold else "ReportSans"
    pdfmetrics.registerFont(TTFont(name, _font_file(bold)))
    return name


def _font_file(bold: bool) -> str:
    spec = find_spec("matplotlib")
    if spec is not None and spec.origin is not None:
        folder = Path(spec.origin).parent / "mpl-data" / "fonts" / "ttf"
        path = folder / ("DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf")
        if path.is_file():
            return str(path)
    return "VeraBd.ttf" if bold else "Vera.ttf"


def printable(text: str, bold: bool = False) -> str:
    """`text` on one line, with "?" for each character the typeface can't show rightly.

    Right-to-left scripts are among them: set left to right they would read as another name.
    """
    glyphs = pdfmetrics.getFont(font_name(bold)).face.charToGlyph
    joined = " ".join(unicodedata.normalize("NFC", text).split())
    return "".join(_shown(char, glyphs) for char in joined if unicodedata.category(char) not in ("Cc", "Cf"))


def _shown(char: str, glyphs: dict[int, int]) -> str:
    leftwards = unicodedata.bidirectional(char) in ("R", "AL")
    return char if ord(char) in glyphs and not leftwards else _UNKNOWN


def width_pt(text: str, style: Style) -> float:
    """How wide `text` is when drawn."""
    plain = pdfmetrics.stringWidth(text, font_name(style.bold), style.size_pt)
    return float(plain) * _CONDENSED / 100


def draw(
    canvas: Canvas,
    x_pt: float,
    y_pt: float,
    text: str,
    style: Style,
    *,
    align: Literal["left", "right", "centre"] = "left",
    room_pt: float | None = None,
) -> None:
    """Write one line with its baseline at y; made smaller, then cut with an ellipsis, where `room_pt` is less."""
    shown = printable(text, style.bold)
    if room_pt is not None:
        style = _shrunk(shown, style, room_pt)
        shown = _cut(shown, style, room_pt)
    shift = {"left": 0.0, "right": 1.0, "centre": 0.5}[align] * width_pt(shown, style)
    line = canvas.beginText(x_pt - shift, y_pt)
    line.setFont(font_name(style.bold), style.size_pt)
    line.setHorizScale(_CONDENSED)
    line.setFillColor(style.color)
    line.textOut(shown)
    canvas.drawText(line)


def _shrunk(text: str, style: Style, room_pt: float) -> Style:
    ratio = room_pt / max(width_pt(text, style), 1e-9)
    return Style(style.size_pt * min(1.0, max(_SMALLEST, ratio)), style.bold, style.color)


def _cut(text: str, style: Style, room_pt: float) -> str:
    if width_pt(text, style) <= room_pt * 1.001:
        return text
    low, high = 0, len(text)
    while low < high:  # the longest beginning that fits, by halving: names may be thousands of characters long
        middle = (low + high + 1) // 2
        low, high = (middle, high) if width_pt(text[:middle] + "…", style) <= room_pt else (low, middle - 1)
    return text[:low].rstrip() + "…"


def figure(value: float | None, digits: int = 0, *, signed: bool = False) -> str:
    """A number as it stands on the page, or an en dash when there is none."""
    if value is None or not math.isfinite(value):
        return NONE
    rounded = round(value, digits) + 0.0  # no "-0"
    return f"{rounded:{'+' if signed and rounded else ''}.{digits}f}".replace("-", "−")


def share(part: float) -> str:
    """A part of 1 in percent; what is there is never shown as nothing."""
    return "<0.1 %" if 0 < part < 0.0005 else f"{part * 100:.1f} %"


def words(value: str | None) -> str:
    return value.strip() if value and value.strip() else NONE


def moment(at_us: int) -> str:
    """Date and time of day, UTC."""
    return f"{to_datetime(at_us):%Y-%m-%d %H:%M:%S}"


def clock(at_us: int) -> str:
    """Time of day, UTC."""
    return f"{to_datetime(at_us):%H:%M:%S}"


def duration(seconds: float) -> str:
    """Hours, minutes and seconds, leaving out what is not needed: "1 h 02 min", "3 min 20 s", "12.4 s"."""
    if seconds < 59.95:
        return f"{seconds:.1f} s".replace(".0 s", " s")
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest:02d} s" if rest else f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02d} min"
