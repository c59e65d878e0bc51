/** Trend: heart rate over the last minutes, from what is stored and what comes in. */

import * as api from "./api.js";
import { clock, figure, moment } from "./figures.js";
import { fit } from "./ink.js";
import { press, write } from "./templates.js";

const GAP_MS = 4000; // no figure for this much longer than stored ones stand for breaks the line
const EVERY_MS = 1000;
const INSET = { left: 34, right: 10, top: 10, bottom: 22 };
const COLOUR = { line: "#3ee08f", rule: "#24303a", text: "#9aabb8", cursor: "#e9f0f4" };

export class Trend {
  constructor(parts, deviceId) {
    Object.assign(this, { parts, deviceId, spanS: 600, points: new Map(), everyMs: 1000, cursor: null });
    this.observer = new ResizeObserver(() => this.draw());
    this.observer.observe(parts.trendCanvas.parentElement);
    parts.spans.addEventListener("click", (event) => this.choose(event.target.closest("button")));
    parts.trendCanvas.addEventListener("pointermove", (event) => this.point(event.offsetX));
    parts.trendCanvas.addEventListener("pointerleave", () => this.point(null));
    this.timer = setInterval(() => this.draw(), EVERY_MS);
    this.load();
  }

  choose(button) {
    if (!button) return;
    this.spanS = Number(button.dataset.span);
    press(this.parts.spans.children, button);
    this.load();
  }

  async load() {
    const end = new Date();
    const start = new Date(end - this.spanS * 1000);
    try {
      const rows = await api.getAll("/ecg/metrics", { device_id: this.deviceId, start: start.toISOString(), end: end.toISOString() });
      for (const row of rows) this.add(moment(row.recorded_at), row.heart_rate);
      this.everyMs = 1000 * Math.max(1, ...rows.map((row) => row.seconds ?? 1));
      this.failed = "";
    } catch (error) {
      this.failed = error.message;
    }
    this.draw();
  }

  add(atMs, rate) {
    if (rate !== null && rate !== undefined) this.points.set(atMs, rate);
  }

  point(x) {
    this.cursor = x;
    this.draw();
  }

  /** What falls in the span, oldest first; what has left an hour is forgotten. */
  visible(endMs) {
    for (const at of this.points.keys()) if (at < endMs - 3700000) this.points.delete(at);
    const startMs = endMs - this.spanS * 1000;
    return [...this.points].filter(([at]) => at >= startMs).sort(([a], [b]) => a - b);
  }

  draw() {
    const { clientWidth: width, clientHeight: height } = this.parts.trendCanvas.parentElement;
    if (width === 0 || height === 0) return;
    const endMs = Math.max(Date.now(), ...[...this.points.keys()].slice(-1));
    const points = this.visible(endMs);
    const ctx = fit(this.parts.trendCanvas, width, height);
    const axes = this.axes(width, height, endMs, points);
    this.drawAxes(ctx, axes);
    this.drawLine(ctx, axes, points);
    this.drawCursor(ctx, axes, points);
    this.describe(points);
  }

  axes(width, height, endMs, points) {
    const rates = points.map(([, rate]) => rate);
    const low = Math.min(50, Math.floor((Math.min(...rates, 60) - 5) / 10) * 10);
    const high = Math.max(110, Math.ceil((Math.max(...rates, 60) + 5) / 10) * 10);
    const startMs = endMs - this.spanS * 1000;
    const x = (at) => INSET.left + ((at - startMs) / (endMs - startMs)) * (width - INSET.left - INSET.right);
    const y = (rate) => height - INSET.bottom - ((rate - low) / (high - low)) * (height - INSET.top - INSET.bottom);
    return { width, height, low, high, startMs, endMs, x, y };
  }

  drawAxes(ctx, { width, height, low, high, startMs, endMs, x, y }) {
    ctx.font = `12px ${getComputedStyle(this.parts.trendCanvas).fontFamily}`;
    const step = high - low > 100 ? 40 : 20;
    for (let rate = Math.ceil(low / step) * step; rate <= high; rate += step) {
      ctx.fillStyle = COLOUR.rule;
      ctx.fillRect(INSET.left, Math.round(y(rate)), width - INSET.left - INSET.right, 1);
      ctx.fillStyle = COLOUR.text;
      ctx.textAlign = "right";
      ctx.fillText(String(rate), INSET.left - 7, y(rate) + 4);
    }
    const everyMs = (this.spanS / 5) * 1000;
    ctx.textAlign = "center";
    for (let at = Math.ceil(startMs / everyMs) * everyMs; at < endMs; at += everyMs) {
      ctx.fillStyle = COLOUR.rule;
      ctx.fillRect(Math.round(x(at)), height - INSET.bottom, 1, 4);
      ctx.fillStyle = COLOUR.text;
      if (x(at) > INSET.left + 16 && x(at) < width - 20) ctx.fillText(clock(at, false), x(at), height - 5);
    }
  }

  drawLine(ctx, { x, y }, points) {
    ctx.beginPath();
    let last = -Infinity;
    for (const [at, rate] of points) {
      if (at - last > this.everyMs + GAP_MS) ctx.moveTo(x(at), y(rate));
      ctx.lineTo(x(at), y(rate));
      last = at;
    }
    ctx.strokeStyle = COLOUR.line;
    ctx.lineWidth = 1.6;
    ctx.lineJoin = "round";
    ctx.lineCap = "round";
    ctx.stroke();
  }

  drawCursor(ctx, { x, y, height, width }, points) {
    if (this.cursor === null || points.length === 0) return;
    const near = (point) => Math.abs(x(point[0]) - this.cursor);
    const [at, rate] = points.reduce((best, point) => (near(point) < near(best) ? point : best));
    ctx.fillStyle = COLOUR.cursor;
    ctx.globalAlpha = 0.4;
    ctx.fillRect(Math.round(x(at)), INSET.top, 1, height - INSET.top - INSET.bottom);
    ctx.globalAlpha = 1;
    ctx.beginPath();
    ctx.arc(x(at), y(rate), 3.5, 0, 2 * Math.PI);
    ctx.fill();
    ctx.textAlign = x(at) > width / 2 ? "right" : "left";
    ctx.fillText(`${figure(rate)} bpm at ${clock(at)}`, x(at) + (x(at) > width / 2 ? -9 : 9), INSET.top + 10);
  }

  describe(points) {
    const rates = points.map(([, rate]) => rate);
    const mean = rates.reduce((sum, rate) => sum + rate, 0) / rates.length;
    const text = rates.length ? `Mean ${figure(mean)}, lowest ${figure(Math.min(...rates))}, highest ${figure(Math.max(...rates))} bpm` : "No heart rate in this period yet";
    write(this.parts.trendText, this.failed || text);
    this.parts.trendCanvas.setAttribute("aria-label", `Heart rate trend. ${text}`);
  }

  close() {
    clearInterval(this.timer);
    this.observer.disconnect();
  }
}
