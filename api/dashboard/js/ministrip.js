/** Ministrip: one lead, small, on a card; 25 mm/s, and 10 mm/mV or less so that beats fit. */

import { box } from "./geometry.js";
import { fit, inkOf } from "./ink.js";
import { pxPerMm } from "./scale.js";
import { Sweep } from "./sweep.js";
import { onFrame } from "./ticker.js";

const EVERY_MS = 33;
const BEST = ["II", "MLII", "ECG", "I"]; // the lead most rhythms are read from

export class Ministrip {
  constructor(canvas, stream) {
    Object.assign(this, { canvas, stream, off: new AbortController() });
    const { signal } = this.off;
    stream.addEventListener("recording", () => this.rebuild(), { signal });
    stream.addEventListener("late", () => (this.whole = true), { signal });
    this.observer = new ResizeObserver(() => this.rebuild());
    this.observer.observe(canvas.parentElement);
    this.stop = onFrame((nowMs) => this.frame(nowMs), EVERY_MS);
  }

  rebuild() {
    const { signal, beats, playout } = this.stream;
    const { clientWidth: width, clientHeight: height } = this.canvas.parentElement;
    if (!signal || width === 0) return;
    const ctx = fit(this.canvas, width, height);
    const layout = box({ width, height, pxPerMm: pxPerMm() });
    const lead = Math.max(0, signal.leads.indexOf(BEST.find((name) => signal.leads.includes(name))));
    this.sweep = new Sweep({ ctx, layout, ink: inkOf(this.canvas.parentElement), signal, beats, leads: [lead], originS: playout.originS, fitted: true, lineWidth: 1.4 });
  }

  frame(nowMs) {
    const position = this.stream.playout.advance(nowMs);
    if (!this.sweep || !this.stream.playout.started) return;
    this.sweep.draw(position, this.whole);
    this.whole = false;
  }

  close() {
    this.stop();
    this.off.abort();
    this.observer.disconnect();
    this.canvas.getContext("2d").clearRect(0, 0, this.canvas.width, this.canvas.height);
  }
}
