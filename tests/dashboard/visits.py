"""Visits to the dashboard: signing in, opening a patient, and reading what is drawn."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median

from tests.dashboard.fake_backend import PASSWORD, USERNAME, FakeBackend
from tests.dashboard.wards import Bed
from tests.servers.pages import Page


@dataclass(frozen=True, slots=True)
class Visit:
    """Someone at the page."""

    page: Page
    backend: FakeBackend

    def sign_in(self, password: str = PASSWORD) -> None:
        self.page.type("input[name=username]", USERNAME)
        self.page.type("input[name=password]", password)
        self.page.click("button[type=submit]")

    def enter(self) -> None:
        """Sign in and wait for the patients."""
        self.sign_in()
        self.page.wait_until("document.querySelectorAll('.card').length > 0")

    def bed(self, patient: str) -> Bed:
        return next(bed for bed in self.backend.beds.values() if bed.patient == patient)

    def open(self, patient: str) -> None:
        """Enter and open a patient's page."""
        self.enter()
        self.turn_to(patient)

    def turn_to(self, patient: str) -> None:
        """Open a patient's page, once inside."""
        device_id = self.bed(patient).device_id
        self.page.evaluate(f"location.hash = '#/devices/{device_id}'")
        self.page.wait_until(f"document.querySelector('#detail-name')?.textContent === '{patient}'")

    def texts(self, selector: str) -> list[str]:
        """What the elements say, from top left to bottom right of the document."""
        script = f"[...document.querySelectorAll({selector!r})].map((element) => element.textContent.trim())"
        said: list[str] = self.page.evaluate(script)
        return said

    def wait_until_drawn(self, seconds: float) -> None:
        """Wait until the strip shows that much signal."""
        self.page.wait_until(f"{_WIDTH_DRAWN} > {seconds} * 25 * {PX_PER_MM}", 30)

    def freeze_after(self, seconds: float) -> None:
        """Stand the strip still once that much of it is drawn."""
        self.wait_until_drawn(seconds)
        self.page.click("[data-ref=freeze]")

    def strip(self) -> Drawn:
        return Drawn(**self.page.evaluate(_READ_STRIP))


@dataclass(frozen=True, slots=True)
class Drawn:
    """What a frozen strip of one lead shows, in CSS pixels."""

    peaks_x: list[float]
    peaks_y: list[float]
    baseline_y: float
    ticks_x: list[float]
    pills_x: list[float]
    gap_px: int

    def spacing(self) -> float:
        return median(after - before for before, after in zip(self.peaks_x, self.peaks_x[1:], strict=False))

    def height(self) -> float:
        return self.baseline_y - median(self.peaks_y)


PX_PER_MM = 96 / 25.4

# Columns of the trace canvas that hold anything below the row of beat marks.
_WIDTH_DRAWN = """(() => {
  const canvas = document.querySelector('.strip-trace')
  const { width, height } = canvas
  const pixels = canvas.getContext('2d').getImageData(0, 30, width, height - 30).data
  const seen = new Set()
  for (let at = 3; at < pixels.length; at += 4) if (pixels[at]) seen.add(((at - 3) / 4) % width)
  return seen.size
})()"""

# A peak is where the trace reaches highest; a mark is a run of columns of its colour in the band above.
_READ_STRIP = """(() => {
  const canvas = document.querySelector('.strip-trace')
  const style = getComputedStyle(document.querySelector('.strip'))
  const rgb = (name) => style.getPropertyValue(name).trim().match(/[0-9a-f]{2}/g).map((two) => parseInt(two, 16))
  const { width, height } = canvas
  const pixels = canvas.getContext('2d').getImageData(0, 0, width, height).data
  const near = (x, y, [r, g, b], alpha = 120) => {
    const at = (y * width + x) * 4
    const off = Math.abs(pixels[at] - r) + Math.abs(pixels[at + 1] - g) + Math.abs(pixels[at + 2] - b)
    return pixels[at + 3] > alpha && off < 40
  }
  const columns = (colour, top, bottom) => {
    const hit = []
    for (let x = 0; x < width; x += 1) {
      let y = top
      while (y < bottom && !near(x, y, colour)) y += 1
      if (y < bottom) hit.push(x)
    }
    return hit
  }
  const runs = (hit) => hit.reduce((all, x) => {
    if (all.length && x - all.at(-1).at(-1) <= 2) all.at(-1).push(x)
    else all.push([x])
    return all
  }, []).map((run) => (run[0] + run.at(-1) + 1) / 2)
  const trace = rgb('--strip-trace')
  const band = 22
  const tops = []
  for (let x = 0; x < width; x += 1) { let y = band + 2; while (y < height && !near(x, y, trace)) y += 1; tops.push(y) }
  const drawn = tops.filter((y) => y < height).sort((a, b) => a - b)
  const flat = drawn[drawn.length >> 1]
  const peaks = runs(tops.flatMap((y, x) => (flat - y > 10 && y < height ? [x] : [])))
  return {
    peaks_x: peaks,
    peaks_y: peaks.map((x) => Math.min(...tops.slice(Math.round(x) - 3, Math.round(x) + 4))),
    baseline_y: flat,
    ticks_x: runs(columns(rgb('--beat-n'), band - 14, band - 4)),
    pills_x: runs(columns(rgb('--beat-v'), band - 19, band - 2)),
    gap_px: columns(rgb('--strip-gap'), band - 3, band + 1).length,
  }
})()"""
