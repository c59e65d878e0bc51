/** Alarms: the active ones, asked for every two seconds and told by live messages; acknowledged from here. */

import * as api from "./api.js";
import { Backoff } from "./backoff.js";

const EVERY_MS = 2000;
const HIDDEN_MS = 10000;
const MOST = 200;
const PRIORITIES = ["high", "medium", "low"];

/** What either of two tellings of one alarm knows: moments are only ever added. */
function merged(known, told) {
  const both = { ...known, ...told };
  for (const name of ["ended_at_us", "acknowledged_at_us", "acknowledged_by"]) both[name] = told[name] ?? known?.[name] ?? null;
  const over = both.ended_at_us !== null;
  const noted = both.acknowledged_at_us !== null;
  both.state = over && (noted || !both.latching) ? "cleared" : noted ? "acknowledged" : "raised";
  return both;
}

export class Alarms extends EventTarget {
  constructor() {
    super();
    Object.assign(this, { byId: new Map(), total: 0, backoff: new Backoff(), busy: new Set() });
  }

  start() {
    this.running = true;
    this.poll();
  }

  stop() {
    this.running = false;
    clearTimeout(this.timer);
  }

  async poll() {
    const waitMs = await this.ask();
    if (this.running) this.timer = setTimeout(() => this.poll(), waitMs);
  }

  async ask() {
    try {
      const { items, total } = await api.get("/ecg/alarms", { active: true, limit: MOST });
      if (!this.running) return EVERY_MS;
      this.byId = new Map(items.map((alarm) => [alarm.alarm_id, merged(this.byId.get(alarm.alarm_id), alarm)]));
      this.total = total;
      this.backoff.reset();
      this.tell();
      return document.hidden ? HIDDEN_MS : EVERY_MS;
    } catch {
      return this.backoff.next(); // the roster says that the connection is lost
    }
  }

  /** A live message, or the answer to an acknowledgement. */
  take(alarm) {
    const { type, ...told } = alarm;
    this.byId.set(told.alarm_id, merged(this.byId.get(told.alarm_id), told));
    this.tell();
  }

  /** Raises what the server refuses, to be shown as it is. */
  async acknowledge(alarmId) {
    this.busy.add(alarmId);
    this.tell();
    try {
      this.take(await api.post(`/ecg/alarms/${encodeURIComponent(alarmId)}/acknowledge`));
    } finally {
      this.busy.delete(alarmId);
      this.tell();
    }
  }

  tell() {
    this.dispatchEvent(new CustomEvent("change"));
  }

  /** The active ones, of one device if given: those nobody has noted first, then by priority, then the newest. */
  active(deviceId = null) {
    const shown = [...this.byId.values()].filter((alarm) => alarm.state !== "cleared" && (deviceId === null || alarm.device_id === deviceId));
    const rank = (alarm) => PRIORITIES.indexOf(alarm.priority) + (alarm.state === "acknowledged" ? PRIORITIES.length : 0);
    return shown.sort((a, b) => rank(a) - rank(b) || b.raised_at_us - a.raised_at_us || a.alarm_id.localeCompare(b.alarm_id));
  }
}
