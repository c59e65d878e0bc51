/** Marks: the beats of a recording and how each is drawn above the trace. */

const KEPT = 1500;
const PILL_PX = 16;
/** A mark is wider than its column: it is drawn once the erase bar has gone this far past it. */
export const MARK_REACH_PX = PILL_PX / 2 + 3;

export class Beats {
  constructor() {
    this.byIndex = new Map();
  }

  /** Takes beats in, each once, and returns the new ones. */
  add(beats) {
    const fresh = beats.filter((beat) => !this.byIndex.has(beat.r_index));
    for (const beat of fresh) this.byIndex.set(beat.r_index, beat);
    for (const index of this.byIndex.keys()) {
      if (this.byIndex.size <= KEPT) break;
      this.byIndex.delete(index);
    }
    return fresh;
  }

  /** Beats with from <= R index < end, in no order. */
  within(from, end) {
    return [...this.byIndex.values()].filter((beat) => beat.r_index >= from && beat.r_index < end);
  }
}

function tick(ctx, layout, x, colour) {
  ctx.fillStyle = colour;
  ctx.fillRect(x - 1, layout.band - 12, 2, 9);
}

function pill(ctx, layout, x, kind, ink) {
  const colour = ink.beats[kind] ?? ink.beats.Q;
  ctx.globalAlpha = 0.35;
  ctx.fillStyle = colour;
  ctx.fillRect(x - 0.5, layout.band, 1, layout.height - layout.band);
  ctx.globalAlpha = 1;
  ctx.beginPath();
  ctx.roundRect(x - PILL_PX / 2, layout.band - PILL_PX - 2, PILL_PX, PILL_PX, 4);
  ctx.fill();
  ctx.fillStyle = ink.beatText;
  ctx.font = `700 12px ${ink.font}`;
  ctx.textAlign = "center";
  ctx.fillText(kind, x, layout.band - 6);
  ctx.textAlign = "start";
}

/** N is a small tick; every other class is its letter and a hairline through all leads. */
export function drawMark(ctx, layout, x, kind, ink) {
  if (layout.band === 0) return;
  if (kind === "N") tick(ctx, layout, x, ink.beats.N);
  else pill(ctx, layout, x, kind, ink);
}
