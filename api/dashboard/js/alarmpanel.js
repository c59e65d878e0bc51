/** Alarm panel: active alarms of all patients or of one device; gone while there are none. */

import { age, clock, figure, moment } from "./figures.js";
import { clone, write } from "./templates.js";

const LEVELS = { high: "critical", medium: "warning", low: "advisory" };

export class AlarmPanel {
  /** @param {HTMLElement} host where the panel goes; @param {string|null} deviceId null is every patient */
  constructor(host, alarms, roster, deviceId = null) {
    const { root, parts } = clone("alarms-panel");
    Object.assign(this, { alarms, roster, deviceId, root, parts, rows: new Map() });
    host.append(root);
    this.refresh = () => this.update();
    alarms.addEventListener("change", this.refresh);
    roster.addEventListener("change", this.refresh); // names and ages
    this.update();
  }

  update() {
    const active = this.alarms.active(this.deviceId);
    this.parts.panel.hidden = active.length === 0;
    const waiting = active.filter((alarm) => alarm.state === "raised").length;
    write(this.parts.count, `${active.length} active, ${waiting} to acknowledge`);
    if (active.length === 0) this.complain("");
    this.place(active);
  }

  /** Rows that stay keep their element, so that a button under a finger or in focus stays there too. */
  place(active) {
    const ids = new Set(active.map((alarm) => alarm.alarm_id));
    for (const [id, { root }] of this.rows) if (!ids.has(id)) this.drop(id, root);
    const focused = document.activeElement;
    active.forEach((alarm, at) => {
      const row = this.rows.get(alarm.alarm_id) ?? this.make(alarm.alarm_id);
      if (this.parts.list.children[at] !== row.root) this.parts.list.insertBefore(row.root, this.parts.list.children[at] ?? null);
      this.fill(row.parts, alarm);
    });
    if (focused !== document.activeElement && this.parts.list.contains(focused)) focused.focus({ preventScroll: true });
  }

  drop(id, root) {
    root.remove();
    this.rows.delete(id);
  }

  make(id) {
    const row = clone("alarm-row");
    const { parts } = row;
    parts.acknowledge.addEventListener("click", () => this.acknowledge(id));
    this.rows.set(id, row);
    return row;
  }

  fill(parts, alarm) {
    const entry = this.roster.entries.get(alarm.device_id);
    const name = entry?.name ?? "Patient without a live device";
    parts.row.dataset.level = LEVELS[alarm.priority];
    parts.row.dataset.state = alarm.state;
    write(parts.priority, alarm.priority);
    write(parts.kind, alarm.kind);
    write(parts.value, this.value(alarm));
    write(parts.patient, name);
    parts.patient.hidden = this.deviceId !== null;
    parts.patient.href = `#/devices/${encodeURIComponent(alarm.device_id)}`;
    write(parts.since, this.since(alarm));
    this.fillButton(parts.acknowledge, alarm, name);
  }

  fillButton(button, alarm, name) {
    const noted = alarm.state === "acknowledged";
    button.disabled = noted || this.alarms.busy.has(alarm.alarm_id);
    write(button, noted ? "Acknowledged" : "Acknowledge");
    button.setAttribute("aria-label", `${noted ? "Acknowledged" : "Acknowledge"}: ${alarm.kind}, ${name}`);
  }

  value({ value, limit, category }) {
    if (category === "technical") return "technical";
    return value === null ? "" : `${figure(value)} bpm, limit ${figure(limit)}`;
  }

  since({ began_at_us: began, ended_at_us: ended }) {
    const nowMs = Date.now() + this.roster.skewMs;
    if (ended !== null) return `${clock(moment(began))} to ${clock(moment(ended))}, over`;
    return `since ${clock(moment(began))}, ${age((nowMs - moment(began)) / 1000)}`;
  }

  async acknowledge(id) {
    try {
      await this.alarms.acknowledge(id);
      this.complain("");
    } catch (error) {
      this.complain(error.message);
    }
  }

  complain(text) {
    write(this.parts.error, text);
    this.parts.error.hidden = !text;
  }

  close() {
    this.alarms.removeEventListener("change", this.refresh);
    this.roster.removeEventListener("change", this.refresh);
  }
}
