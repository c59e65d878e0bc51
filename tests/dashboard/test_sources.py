"""Promises about the page's files: nothing inline, nothing from elsewhere, readable colours, the warning in sight."""

from __future__ import annotations

import re
from itertools import product

import pytest

from tests.dashboard.fake_backend import PAGE

HTML = (PAGE / "index.html").read_text()
MODULES = sorted((PAGE / "js").glob("*.js"))
SHEETS = sorted((PAGE / "css").glob("*.css"))


def test_the_warning_stands_in_the_footer() -> None:
    assert "Research use: not for diagnosis or primary alarms." in HTML.split("<footer")[1].split("</footer>")[0]


def test_no_script_or_style_is_inline() -> None:
    assert re.findall(r"<script(?![^>]* src=)", HTML) == []
    assert re.findall(r"<style|\sstyle=|\son[a-z]+=", HTML) == []
    assert [
        module.name for module in MODULES if re.search(r"setAttribute\(\"style|innerHTML", module.read_text())
    ] == []


def test_nothing_comes_from_elsewhere() -> None:
    texts = [HTML, *(file.read_text() for file in (*MODULES, *SHEETS))]
    assert [text for text in texts if re.search(r"(?:src|href|url\(|from |import\()\s*=?[\"'(]?https?:", text)] == []


def test_every_stylesheet_is_linked_and_every_module_used() -> None:
    assert set(re.findall(r'href="css/([a-z]+\.css)"', HTML)) == {sheet.name for sheet in SHEETS}
    used = set(re.findall(r'from "\./([a-z]+\.js)"', "".join(module.read_text() for module in MODULES)))
    assert used | {"main.js"} == {module.name for module in MODULES}


COLOURS = dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6});", (PAGE / "css" / "tokens.css").read_text().split("}")[0]))
INKS = ("text", "muted", "normal", "critical", "warning", "advisory", "technical", "lost")


@pytest.mark.parametrize(("ink", "ground"), list(product(INKS, ("ground", "panel"))))
def test_text_has_the_contrast_of_wcag_aa(ink: str, ground: str) -> None:
    lighter, darker = sorted((_luminance(COLOURS[ink]), _luminance(COLOURS[ground])), reverse=True)
    assert (lighter + 0.05) / (darker + 0.05) >= 4.5


def _luminance(colour: str) -> float:
    """Relative luminance, WCAG 2.2."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
