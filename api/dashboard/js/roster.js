/** Roster: who is there and how they are, asked once a second, with back-off when the server is away. */

import * as api from "./api.js";
import { Backoff } from "./backoff.js";
import { moment } from "./figures.js";
import { isSure, levelOf } from "./severity.js";

const EVERY_MS = 1000;
const HIDDEN_MS = 10000;
export const LOST_S = 10;
const HEARD_S = 3600; // a device that fell silent stays in sight for an hour

/** Every live device: the list comes in pages when there are very many. */
async function everyLive() {
  const first = await api.getDated(`/devices/live?within_s=${HEARD_S}`);
  const items = [...first.body.items];
  let { next } = first.body;
  while (next) {
    const page = await api.get("/devices/live", { within_s: HEARD_S, after: next });
    items.push(...page.items);
    ({ next } = page);
  }
  return { items, serverMs: first.serverMs };
}

export class Roster extends EventTarget {
  constructor() {
    super();
    Object.assign(this, { entries: new Map(), backoff: new Backoff(), skewMs: 0, known: false, connected: true });
  }

  start() {
    this.running = true;
    this.poll();
  }

  stop() {
    this.running = false;
    clearTimeout(this.timer);
  }

  retryNow() {
    clearTimeout(this.timer);
    this.poll();
  }

  async poll() {
    if (this.asking) return;
    this.asking = true;
    const waitMs = await this.ask();
    this.asking = false;
    if (this.running) this.timer = setTimeout(() => this.poll(), waitMs);
  }

  /** Asks once and returns how long to wait before the next time. */
  async ask() {
    try {
      const { items, serverMs } = await everyLive();
      if (!this.running) return EVERY_MS;
      this.take(items, serverMs);
      this.backoff.reset();
      this.say(true);
      return document.hidden ? HIDDEN_MS : EVERY_MS;
    } catch (error) {
      return this.fail(error);
    }
  }

  fail(error) {
    const waitMs = this.backoff.next();
    if (!this.running) return waitMs;
    if (error.status === 401) this.dispatchEvent(new CustomEvent("expired"));
    else this.say(false, error.message);
    if (this.known) this.refresh();
    return waitMs;
  }

  say(connected, detail = "") {
    if (this.connected === connected && this.detail === detail) return;
    Object.assign(this, { connected, detail });
    this.dispatchEvent(new CustomEvent("connection", { detail: { connected, text: detail } }));
  }

  take(items, serverMs) {
    // The Date header has a resolution of a second: half of it is added, and small differences are its rounding.
    const skewMs = serverMs + 500 - Date.now();
    if (Math.abs(skewMs - this.skewMs) > 1500) this.skewMs = skewMs;
    const before = this.entries;
    this.entries = new Map(items.map((item) => [item.device_id, this.entry(item, before.get(item.device_id))]));
    this.known = true;
    this.dispatchEvent(new CustomEvent("change"));
  }

  entry(item, before) {
    const moved = before !== undefined && before.item.recorded_at !== item.recorded_at;
    return this.judge({ item, seenMs: moved ? Date.now() : before?.seenMs });
  }

  /** Time passes though no answer comes: ages grow, and signals are lost. */
  refresh() {
    for (const entry of this.entries.values()) this.judge(entry);
    this.dispatchEvent(new CustomEvent("change"));
  }

  judge(entry) {
    const { item } = entry;
    const toldS = item.recorded_at ? (Date.now() + this.skewMs - moment(item.recorded_at)) / 1000 : Infinity;
    const seenS = entry.seenMs === undefined ? Infinity : (Date.now() - entry.seenMs) / 1000;
    entry.ageS = Math.min(toldS, seenS); // a device whose clock is wrong still counts as live while it moves
    entry.lost = entry.ageS > LOST_S;
    entry.level = levelOf(item.arrhythmia_type, item.heart_rate, entry.lost);
    entry.label = entry.lost ? "No signal" : (item.arrhythmia_type ?? "No label yet");
    entry.confidence = entry.lost || !item.arrhythmia_type ? null : item.arrhythmia_confidence;
    entry.sure = !entry.lost && isSure(item.arrhythmia_confidence ?? 0);
    entry.name = item.patient_name || item.device_name || "Unassigned";
    entry.device = [item.device_name, item.device_serial].filter(Boolean).join(" · ");
    return entry;
  }

  tally() {
    const counts = { critical: 0, warning: 0, advisory: 0, lost: 0 };
    for (const { level } of this.entries.values()) if (level in counts) counts[level] += 1;
    return counts;
  }
}
