"""`leadwire demo`, as a user starts it: beats on the page, a login that works, and nothing left after Ctrl-C."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.embedded.test_stack import servers_on
from tests.servers.chromium import Browser

pytestmark = [pytest.mark.embedded, pytest.mark.data, pytest.mark.timeout(240)]

_PIXELS = """(() => {
    const canvas = document.querySelector('[data-ref=traceCanvas]');
    const { data, width, height } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
    const drawn = (top, bottom) => [...Array(width).keys()].map((x) =>
        [...Array(bottom - top).keys()].some((y) => data[((top + y) * width + x) * 4 + 3] > 0));
    %s
})()"""
_COLUMNS_DRAWN = _PIXELS % "return drawn(0, height).filter(Boolean).length;"
_MARKS_DRAWN = _PIXELS % "return drawn(8, 12).filter((on, x, row) => on && !row[x - 1]).length;"


@dataclass(frozen=True, slots=True)
class Demo:
    """A running demo, and what it printed until the first beat was stored."""

    process: subprocess.Popen[str]
    told: str
    data: Path

    def found(self, pattern: str) -> str:
        match = re.search(pattern, self.told)
        assert match, f"{pattern} is not in what the demo told:\n{self.told}"
        return match.group(1)


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory, recordings: Path) -> Iterator[Demo]:
    data = tmp_path_factory.mktemp("demo")
    command = [sys.executable, "-m", "leadwire", "demo", "--no-browser", "--port", "0", "--data", str(data)]
    process = subprocess.Popen(
        [*command, "--devices", "2", "--record", str(recordings / "mitdb" / "208")],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONUNBUFFERED": "1"},
    )
    assert process.stdout is not None
    with process.stdout as lines:
        told = ""
        for line in lines:
            told += line
            if "first beat" in line:
                break
        yield Demo(process, told, data)
        process.send_signal(signal.SIGINT)
        process.wait(timeout=30)


def test_it_tells_the_address_the_login_and_what_streams(demo: Demo) -> None:
    assert demo.found(r"Leadwire +(http://127\.0\.0\.1:\d+)\n")
    assert demo.found(r"password (\S{12,})\n")
    assert "mitdb/208" in demo.told
    assert "2 virtual patients" in demo.told
    assert "not for diagnosis or primary alarms" in demo.told


@pytest.mark.chromium
def test_a_doctor_sees_the_patients_and_the_live_strip_with_beats(
    demo: Demo, chromium_browser: Browser, tmp_path: Path
) -> None:
    with chromium_browser.open(demo.found(r"(http://\S+)"), 1440, 900) as page:
        page.type("input[name=username]", demo.found(r"login +(\S+)"))
        page.type("input[name=password]", demo.found(r"password (\S+)"))
        page.click("button[type=submit]")
        page.wait_until("document.querySelectorAll('.card').length === 3", 30)
        page.wait_until("/[0-9]{2}/.test(document.querySelector('.card').textContent)", 30)
        page.evaluate("[...document.querySelectorAll('.card a')].find(a => a.textContent.includes('208')).click()")
        page.wait_until("/^[0-9]{2,3}$/.test(document.querySelector('[data-ref=hr]')?.textContent)", 30)
        page.wait_until(f"{_COLUMNS_DRAWN} > 300", 30)
        page.wait_until(f"{_MARKS_DRAWN} > 2", 30)
        page.screenshot(tmp_path / "detail.png")
        assert (tmp_path / "detail.png").stat().st_size > 20_000
        assert page.errors() == []


def test_ctrl_c_stops_it_in_good_order_and_leaves_nothing_running(demo: Demo) -> None:
    assert servers_on(demo.data)
    demo.process.send_signal(signal.SIGINT)
    assert demo.process.wait(timeout=30) == 0
    assert servers_on(demo.data) == []
    assert not (demo.data / "demo.env").exists()
