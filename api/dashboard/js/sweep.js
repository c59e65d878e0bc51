/**
 * Sweep: writes a signal from left to right behind an erase bar, as bedside monitors do. Each frame draws
 * only what is new, so a minute of twelve leads costs no more than a second of them.
 */

import { shrunk, xOf, yOf } from "./geometry.js";
import { MARK_REACH_PX, drawMark } from "./marks.js";

const ERASE_MM = 5;
const EDGE_PX = 1.2; // half a line's width and a bit: the newest point isn't shaved off

export class Sweep {
  /**
   * @param leads which leads of the signal, one per baseline of the layout
   * @param originS the moment that is written at the left edge first
   * @param fitted whether the gain may shrink so that a beat fits its box
   */
  constructor({ ctx, layout, ink, signal, beats, leads, originS, fitted = false, lineWidth = 1.6 }) {
    Object.assign(this, { ctx, layout, ink, signal, beats, leads, originS, fitted, lineWidth, drawn: null });
    this.offsets = leads.map(() => 0);
  }

  secondsOf(index) {
    return index / this.signal.rateHz;
  }

  x(index) {
    return xOf(this.layout, this.secondsOf(index) - this.originS);
  }

  /** How many samples fit before they are overwritten, less the erase bar. */
  get span() {
    const eraseS = (ERASE_MM * this.layout.pxPerMm) / this.layout.pxPerS;
    return Math.max(1, Math.floor((this.layout.windowS - eraseS) * this.signal.rateHz));
  }

  get markLag() {
    return Math.ceil((MARK_REACH_PX / this.layout.pxPerS) * this.signal.rateHz);
  }

  /** Draws on to `position` (seconds of the recording); all of the window when it jumped or `whole`. */
  draw(position, whole = false) {
    const to = Math.floor(position * this.signal.rateHz);
    if (this.drawn === null || whole || to - this.drawn > this.span || to < this.drawn) return this.drawWhole(to);
    if (to === this.drawn) return undefined;
    if (this.x(to) < this.x(this.drawn)) this.centre(to);
    this.erase(this.drawn, to);
    this.trace(this.drawn, to);
    this.marks(this.drawn - this.markLag, to - this.markLag);
    this.drawn = to;
    return undefined;
  }

  drawWhole(to) {
    this.ctx.clearRect(0, 0, this.layout.width, this.layout.height);
    const from = Math.max(this.signal.first, to - this.span);
    this.centre(to);
    this.trace(from, to);
    this.marks(from, to - this.markLag);
    this.drawn = to;
  }

  /** Once per pass each baseline is put where the signal lives, so a drifting electrode stays on its paper. */
  centre(to) {
    const seconds = Math.min(this.layout.windowS, 4);
    const end = Math.max(to, Math.min(this.signal.end, to + this.signal.rateHz));
    const spreads = this.leads.map((lead) => this.signal.spread(lead, end - seconds * this.signal.rateHz, end));
    if (this.fitted) this.layout = shrunk(this.layout, spreads[0].high - spreads[0].low);
    this.offsets = spreads.map(({ low, median, high }) => (this.fitted ? (low + high) / 2 : median));
  }

  erase(from, to) {
    const left = this.x(from) + EDGE_PX;
    const wide = this.x(to) - this.x(from) + ERASE_MM * this.layout.pxPerMm;
    const turn = this.layout.width - this.layout.x0;
    const right = left + (wide < 0 ? wide + turn : wide);
    this.ctx.clearRect(left, 0, Math.min(right, this.layout.width) - left, this.layout.height);
    if (right > this.layout.width) this.ctx.clearRect(this.layout.x0 - EDGE_PX, 0, right - this.layout.width + EDGE_PX, this.layout.height);
  }

  trace(from, to) {
    const { ctx } = this;
    ctx.strokeStyle = this.ink.trace;
    ctx.lineWidth = this.lineWidth;
    ctx.lineJoin = "round";
    ctx.beginPath();
    this.leads.forEach((lead, row) => this.path(lead, row, from, to));
    ctx.stroke();
    if (this.layout.band) this.gaps(from, to);
  }

  path(lead, row, from, to) {
    let down = false;
    let last = -Infinity;
    for (let index = from; index <= to; index += 1) {
      const mv = this.signal.at(lead, index);
      const x = this.x(index);
      const go = down && x >= last;
      if (Number.isNaN(mv)) down = false;
      else {
        const y = yOf(this.layout, row, mv - this.offsets[row]);
        if (go) this.ctx.lineTo(x, y);
        else this.ctx.moveTo(x, y);
        down = true;
      }
      last = x;
    }
  }

  /** Where no lead has a sample, a bar under the marks says that nothing came. */
  gaps(from, to) {
    this.ctx.fillStyle = this.ink.gap;
    const step = this.layout.pxPerS / this.signal.rateHz;
    for (let index = Math.max(from, this.signal.first); index < to; index += 1) {
      if (this.leads.every((lead) => Number.isNaN(this.signal.at(lead, index)))) this.ctx.fillRect(this.x(index), this.layout.band - 2, step + 0.5, 2);
    }
  }

  marks(from, end) {
    for (const beat of this.beats.within(from, end)) drawMark(this.ctx, this.layout, this.x(beat.r_index), beat.beat_class, this.ink);
  }

  /** Beats the engine decided after their part was drawn. */
  late(beats) {
    if (this.drawn === null) return;
    const seen = beats.filter(({ r_index: index }) => index < this.drawn - this.markLag && index >= this.drawn - this.span + this.markLag);
    for (const beat of seen) drawMark(this.ctx, this.layout, this.x(beat.r_index), beat.beat_class, this.ink);
  }
}
