"""Promises about the strip: it is true to scale, its marks stand on the beats, and gaps stay gaps."""

from __future__ import annotations

import pytest

from tests.dashboard.visits import PX_PER_MM, Visit

pytestmark = pytest.mark.chromium


def test_a_second_is_25_mm_and_a_millivolt_10_mm(visit: Visit) -> None:
    visit.open("Screen Ruler")
    visit.freeze_after(8)
    drawn = visit.strip()
    assert len(drawn.peaks_x) >= 6
    assert drawn.spacing() == pytest.approx(25 * PX_PER_MM, abs=1)
    assert drawn.height() == pytest.approx(10 * PX_PER_MM, abs=2)  # the line itself is 1.6 px thick


def test_double_speed_and_half_gain_are_true_too(visit: Visit) -> None:
    visit.open("Screen Ruler")
    visit.page.evaluate(_choose("speed", 50))
    visit.page.evaluate(_choose("gain", 5))
    visit.freeze_after(8)
    drawn = visit.strip()
    assert drawn.spacing() == pytest.approx(50 * PX_PER_MM, abs=1)
    assert drawn.height() == pytest.approx(5 * PX_PER_MM, abs=1.5)


def test_the_grid_and_the_calibration_pulse_are_true_to_scale(visit: Visit) -> None:
    visit.open("Screen Ruler")
    visit.page.click("[data-ref=paper]")
    visit.page.wait_until("document.querySelector('[data-ref=note]').textContent === ''")
    lines = visit.page.evaluate(_MAJOR_LINES)
    assert (lines[-1] - lines[0]) / (len(lines) - 1) == pytest.approx(5 * PX_PER_MM, abs=0.05)
    assert visit.page.evaluate(_PULSE_HEIGHT) == pytest.approx(10 * PX_PER_MM, abs=1.5)


def test_every_mark_stands_on_its_r_peak(visit: Visit) -> None:
    visit.open("Screen Ruler")
    visit.freeze_after(9)
    drawn = visit.strip()
    marks = drawn.ticks_x + drawn.pills_x
    assert len(drawn.ticks_x) >= 3
    assert drawn.pills_x
    assert all(min(abs(mark - peak) for peak in drawn.peaks_x) <= 1.5 for mark in marks)


def test_gaps_are_drawn_as_gaps(visit: Visit) -> None:
    visit.open("Helena Costa")
    visit.freeze_after(7)
    drawn = visit.strip()
    assert drawn.gap_px >= 0.9 * 25 * PX_PER_MM  # a second that never came


def test_the_strip_runs_smoothly_and_cheaply_with_twelve_leads(visit: Visit) -> None:
    visit.open("Ingrid Solheim")
    visit.wait_until_drawn(0.5)
    spent = visit.page.evaluate(_FRAMES)
    assert spent["share"] < 0.25
    assert spent["moved"] > 0.8 * spent["frames"]


def test_playout_absorbs_jitter_and_never_runs_dry(visit: Visit) -> None:
    outcome = visit.page.evaluate(_JITTER)
    assert outcome["dry"] == 0
    assert outcome["backwards"] == 0
    assert 0.2 < outcome["lag_s"] < 2.5


def test_the_first_value_of_a_sample_stays(visit: Visit) -> None:
    assert visit.page.evaluate(_REPEAT) == [1, 2, 3, 4]


def test_beats_are_kept_once(visit: Visit) -> None:
    script = """import('/js/marks.js').then(({ Beats }) => {
      const beats = new Beats(), beat = { r_index: 7, beat_class: 'N' }
      return [beats.add([beat]).length, beats.add([beat, beat]).length, beats.within(0, 10).length]
    })"""
    assert visit.page.evaluate(script) == [1, 0, 1]


def _choose(name: str, value: int) -> str:
    return f"""(() => {{
      const select = document.querySelector('[data-ref={name}]')
      select.value = '{value}'
      select.dispatchEvent(new Event('change'))
    }})()"""


_MAJOR_LINES = """(() => {
  const canvas = document.querySelector('.strip-paper')
  const row = canvas.getContext('2d').getImageData(0, 26, canvas.width, 1).data
  const lines = []
  for (let x = 60; x < canvas.width; x += 1) {
    const [r, g, b] = row.slice(x * 4, x * 4 + 3)
    if (Math.abs(r - 0xf0) + Math.abs(g - 0xb3) + Math.abs(b - 0xaa) < 12) lines.push(x)
  }
  return lines
})()"""

# The pulse's left edge is the longest dark run of a column in the gutter.
_PULSE_HEIGHT = """(() => {
  const canvas = document.querySelector('.strip-paper')
  const { data, width, height } = canvas.getContext('2d').getImageData(0, 0, 40, canvas.height)
  let longest = 0
  for (let x = 0; x < width; x += 1) {
    let run = 0
    for (let y = 0; y < height; y += 1) {
      run = data[(y * width + x) * 4] < 190 ? run + 1 : 0
      longest = Math.max(longest, run)
    }
  }
  return longest - 1.3
})()"""

# Time spent in animation frames over three seconds, and how many of them drew something new.
_FRAMES = """new Promise((resolve) => {
  const ask = window.requestAnimationFrame.bind(window)
  const begun = performance.now()
  let busy = 0, frames = 0, moved = 0
  const context = document.querySelector('.strip-trace').getContext('2d')
  const stroke = context.stroke.bind(context)
  let drew = false
  context.stroke = (...rest) => { drew = true; stroke(...rest) }
  window.requestAnimationFrame = (call) => ask((at) => {
    const before = performance.now()
    drew = false
    call(at)
    busy += performance.now() - before
    frames += 1
    if (drew) moved += 1
    if (before - begun < 3000) return
    window.requestAnimationFrame = ask
    resolve({ share: busy / (before - begun), frames, moved })
  })
})"""

# Two minutes of one-second blocks, each up to 0.5 s late, at 60 frames a second.
_JITTER = """import('/js/playout.js').then(({ Playout }) => {
  const playout = new Playout()
  let next = 1, dry = 0, backwards = 0, last = 0, lag = 0, seed = 1
  let due = 1000
  for (let now = 0; now < 120000; now += 16.7) {
    if (now >= due) {
      playout.push(next, 1, now)
      next += 1
      seed = (seed * 16807) % 2147483647
      due = next * 1000 + (seed % 500)
    }
    const at = playout.advance(now)
    if (at < last) backwards += 1
    if (now > 10000 && playout.dry) dry += 1
    last = at
    lag = now / 1000 - at
  }
  return { dry, backwards, lag_s: lag - 0 }
})"""

_REPEAT = """import('/js/signal.js').then(({ Signal }) => {
  const block = (first, values) => ({
    recording_id: 'r', first_index: first, rate_hz: 100, leads: ['II'], uv_per_lsb: [1000], samples: [values],
  })
  const signal = new Signal(block(0, [1, 2]))
  signal.add(block(0, [1, 2]))
  signal.add(block(3, [4]))
  signal.add(block(0, [9, 9, 3]))
  return [0, 1, 2, 3].map((index) => signal.at(0, index))
})"""
