/** Strip: all leads of a device on millimetre paper, true to scale. */

import { page } from "./geometry.js";
import { fit, inkOf } from "./ink.js";
import { drawPaper } from "./paper.js";
import { pxPerMm } from "./scale.js";
import { Sweep } from "./sweep.js";
import { onFrame } from "./ticker.js";

const SILENT_MS = 3000;

export class Strip {
  /** @param {{strip: HTMLElement, paperCanvas: HTMLCanvasElement, traceCanvas: HTMLCanvasElement, note: HTMLElement}} parts */
  constructor(parts, { onBeat } = {}) {
    Object.assign(this, { parts, onBeat, stream: null, mmPerS: 25, mmPerMv: 10, frozen: false, off: new AbortController() });
    this.observer = new ResizeObserver(() => this.rebuild());
    this.observer.observe(parts.strip);
    this.stop = onFrame((nowMs) => this.frame(nowMs));
  }

  /** Draws this stream from now on. */
  follow(stream) {
    const { signal } = this.off;
    this.stream = stream;
    stream.addEventListener("recording", () => this.rebuild(), { signal });
    stream.addEventListener("late", () => (this.whole = true), { signal });
    stream.addEventListener("beats", ({ detail }) => this.frozen || this.sweep?.late(detail), { signal });
    this.rebuild();
  }

  set(wish) {
    Object.assign(this, wish);
    this.parts.strip.classList.toggle("frozen", this.frozen);
    this.rebuild();
  }

  setPaper(on) {
    this.parts.strip.classList.toggle("paper", on);
    this.rebuild();
  }

  /** New size, scale, theme or recording: paper and trace are drawn anew from what is kept. */
  rebuild() {
    const { strip, paperCanvas, traceCanvas } = this.parts;
    const { signal = null, beats, playout } = this.stream ?? {};
    const leads = signal?.leads ?? ["II"];
    const layout = page({ width: strip.clientWidth, leads: leads.length, pxPerMm: pxPerMm(), mmPerS: this.mmPerS, mmPerMv: this.mmPerMv });
    const ink = inkOf(strip);
    strip.style.height = `${layout.height}px`;
    drawPaper(fit(paperCanvas, layout.width, layout.height), layout, ink, signal ? leads : []);
    const ctx = fit(traceCanvas, layout.width, layout.height);
    const held = this.sweep?.signal === signal ? this.sweep?.drawn : null;
    this.sweep = signal && new Sweep({ ctx, layout, ink, signal, beats, leads: leads.map((_, lead) => lead), originS: playout.originS });
    if (this.sweep && held !== null && held !== undefined) this.sweep.draw(held / signal.rateHz, true);
  }

  frame(nowMs) {
    if (this.stream) this.say(nowMs);
    if (!this.sweep) return;
    const position = this.stream.playout.advance(nowMs);
    if (this.frozen || !this.stream.playout.started) return;
    const before = this.sweep.drawn;
    this.sweep.draw(position, this.whole);
    this.whole = false;
    if (before !== null && this.stream.beats.within(before, this.sweep.drawn).length) this.onBeat?.();
  }

  say(nowMs) {
    const { signal, arrivedMs, playout } = this.stream;
    const silent = arrivedMs !== null && nowMs - arrivedMs > SILENT_MS && playout.dry;
    const text = signal === null ? "Waiting for signal" : silent ? "No signal" : "";
    if (this.parts.note.textContent !== text) this.parts.note.textContent = text;
  }

  close() {
    this.stop();
    this.off.abort();
    this.observer.disconnect();
  }
}
