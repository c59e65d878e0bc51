/**
 * Playout: which moment of a recording is drawn now. Blocks arrive a second at a time and unevenly; the
 * playhead runs evenly behind them, a little faster or slower when the reserve grows or shrinks.
 */

export const RESERVE_S = 0.7; // left unplayed when the next block arrives: the jitter that can be absorbed
const TOO_FAR_S = 4; // behind by more than this (hidden tab, fast replay) it jumps
const STEER = 0.08;
const STEER_MAX = 0.05;

export class Playout {
  constructor() {
    Object.assign(this, { end: 0, position: 0, rate: 1, started: false, firstAtMs: null, lastMs: null, originS: 0 });
  }

  /** A block ending at `endS` (seconds of the recording) arrived; `lengthS` is its length. */
  push(endS, lengthS, nowMs) {
    if (this.firstAtMs === null) {
      this.firstAtMs = nowMs;
      this.position = endS - lengthS;
      this.originS = this.position;
    }
    const reserve = this.end - this.position;
    if (this.started) this.rate = 1 + Math.max(-STEER_MAX, Math.min(STEER_MAX, (reserve - RESERVE_S) * STEER));
    this.end = Math.max(this.end, endS);
  }

  /** Moves on to `nowMs` and returns the position in seconds of the recording; never past what has come. */
  advance(nowMs) {
    const passed = this.lastMs === null ? 0 : (nowMs - this.lastMs) / 1000;
    this.lastMs = nowMs;
    if (!this.started) this.started = this.firstAtMs !== null && nowMs - this.firstAtMs >= RESERVE_S * 1000;
    if (!this.started) return this.position;
    const behind = this.end - this.position;
    if (behind > TOO_FAR_S) this.position = this.end - 1 - RESERVE_S;
    else this.position = Math.min(this.end, this.position + passed * this.rate);
    return this.position;
  }

  /** Nothing left to draw: the device or the network is silent. */
  get dry() {
    return this.started && this.end - this.position < 1e-6;
  }
}
