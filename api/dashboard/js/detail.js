/** Detail: one patient: strip, figures, trend, episodes, reports. */

import * as api from "./api.js";
import { AlarmPanel } from "./alarmpanel.js";
import { Episodes } from "./episodes.js";
import { age, figure } from "./figures.js";
import { watch } from "./live.js";
import { Leads } from "./leads.js";
import { Reports } from "./reports.js";
import { calibrate } from "./scale.js";
import { isSure, levelOf } from "./severity.js";
import { Strip } from "./strip.js";
import { clone, write, writeRhythm } from "./templates.js";
import { Trend } from "./trend.js";
import { Variability } from "./variability.js";
import { fromMessage, writeVitals } from "./vitals.js";

const PAPER_KEY = "leadwire.paper";
const LINKS = { connecting: "Connecting", open: "Live", lost: "Reconnecting" };

export class Detail {
  constructor(roster, alarms, deviceId) {
    const { root, parts } = clone("detail-view");
    Object.assign(this, { roster, alarms, deviceId, root, parts });
    this.alarmPanel = new AlarmPanel(parts.alarms, alarms, roster, deviceId);
    this.strip = new Strip(parts, { onBeat: () => this.beat() });
    this.trend = new Trend(parts, deviceId);
    this.variability = new Variability(parts, deviceId);
    this.episodes = new Episodes(parts.episodes, deviceId);
    this.reports = new Reports(parts, deviceId);
    this.leads = new Leads(parts.leads);
    this.refresh = () => this.update();
    roster.addEventListener("change", this.refresh);
    this.bind();
    this.update();
  }

  bind() {
    const { parts, strip } = this;
    parts.speed.addEventListener("change", () => this.rescale());
    parts.gain.addEventListener("change", () => this.rescale());
    parts.freeze.addEventListener("click", () => this.freeze());
    parts.paper.addEventListener("click", () => this.paper(localStorage.getItem(PAPER_KEY) !== "paper"));
    parts.calibrate.addEventListener("click", () => calibrate(() => strip.rebuild()));
    this.paper(localStorage.getItem(PAPER_KEY) === "paper");
    this.rescale();
  }

  rescale() {
    const { speed, gain } = this.parts;
    this.strip.set({ mmPerS: Number(speed.value), mmPerMv: Number(gain.value) });
  }

  freeze() {
    this.strip.set({ frozen: !this.strip.frozen });
    this.parts.freeze.setAttribute("aria-pressed", String(this.strip.frozen));
  }

  paper(on) {
    localStorage.setItem(PAPER_KEY, on ? "paper" : "monitor");
    this.parts.paper.setAttribute("aria-pressed", String(on));
    this.strip.setPaper(on);
  }

  /** The roster says who it is; a device that isn't live is asked for by its id. */
  update() {
    const entry = this.roster.entries.get(this.deviceId);
    if (entry) this.writeEntry(entry);
    else if (this.roster.known && !this.asked) this.ask();
  }

  async ask() {
    this.asked = true;
    try {
      const device = await api.get(`/devices/${encodeURIComponent(this.deviceId)}`);
      write(this.parts.name, device.device_name || "Device");
      write(this.parts.device, device.device_serial ?? "");
      this.watch(device.user_id);
    } catch (error) {
      write(this.parts.name, "Not found");
      write(this.parts.device, error.message);
    }
  }

  writeEntry(entry) {
    write(this.parts.name, entry.name);
    write(this.parts.device, [entry.device, entry.lost && Number.isFinite(entry.ageS) && `last signal ${age(entry.ageS)} ago`].filter(Boolean).join(" · "));
    this.parts.vitals.classList.toggle("lost", entry.lost);
    document.title = `${entry.lost ? "No signal" : figure(entry.item.heart_rate)} ${entry.name} · Leadwire`;
    if (entry.lost) this.lose(entry);
    else if (!this.metrics) this.writeFirst(entry);
    this.watch(entry.item.user_id);
  }

  lose(entry) {
    this.metrics = null;
    writeRhythm(this.parts, entry);
    writeVitals(this.parts, {});
    this.leads.show([]);
  }

  /** Until the first live figures come, what the roster knows. */
  writeFirst(entry) {
    writeRhythm(this.parts, entry);
    write(this.parts.hr, figure(entry.item.heart_rate));
  }

  watch(userId) {
    if (this.leave || !userId) return;
    const { stream, leave } = watch(userId, { deviceId: this.deviceId, onMessage: (message) => this.take(message), onState: (state) => this.link(state) });
    this.leave = leave;
    this.strip.follow(stream);
  }

  link(state) {
    if (state === "open" && this.wasLost) {
      this.episodes.load();
      this.trend.load();
    }
    this.wasLost = state === "lost";
    this.parts.link.dataset.state = state;
    write(this.parts.link, LINKS[state]);
  }

  take(message) {
    if (message.type === "metrics") this.takeMetrics(message);
    else if (message.type === "rhythm") this.episodes.take(message);
    else if (message.type === "alarm") this.alarms.take(message);
  }

  takeMetrics(message) {
    this.metrics = message;
    const { heart_rate_bpm: rate, arrhythmia_type: label, arrhythmia_confidence: confidence } = message;
    const vitals = fromMessage(message);
    writeVitals(this.parts, vitals);
    this.leads.show(vitals.leads, vitals.mainLead);
    writeRhythm(this.parts, { label: label ?? "No label yet", confidence: label ? confidence : null, level: levelOf(label, rate), sure: isSure(confidence) });
    this.trend.add(message.window_start_us / 1000, rate);
  }

  beat() {
    const { heart } = this.parts;
    heart.classList.remove("beat");
    void heart.getBoundingClientRect(); // restarts the animation
    heart.classList.add("beat");
  }

  close() {
    this.roster.removeEventListener("change", this.refresh);
    this.leave?.();
    this.alarmPanel.close();
    this.strip.close();
    this.trend.close();
    this.variability.close();
    this.reports.close();
    document.title = "Leadwire";
  }
}
