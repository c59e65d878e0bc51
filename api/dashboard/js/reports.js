/** Reports: PDF pages about a device: ask for one, watch it being made, download it. */

import * as api from "./api.js";
import { bytes, dayAndClock, moment } from "./figures.js";
import { clone, write } from "./templates.js";

const PERIOD_S = 60;
const POLL_MS = 1500;
const STATES = { pending: "Being made", uploaded: "Ready", failed: "Failed" };

export class Reports {
  constructor(parts, deviceId) {
    Object.assign(this, { parts, deviceId, items: [] });
    parts.newReport.addEventListener("click", () => this.ask());
    this.load();
  }

  async load() {
    clearTimeout(this.timer);
    try {
      this.items = (await api.get("/ecg/reports", { device_id: this.deviceId, limit: 30 })).items;
      this.complain("");
    } catch (error) {
      this.complain(error.message);
    }
    this.render();
    if (!this.closed && this.items.some((report) => report.upload_status === "pending")) this.timer = setTimeout(() => this.load(), POLL_MS);
  }

  /** A report on the last minute. */
  async ask() {
    this.parts.newReport.disabled = true;
    const endMs = Date.now();
    try {
      await api.post("/ecg/reports", { device_id: this.deviceId, start: new Date(endMs - PERIOD_S * 1000).toISOString(), end: new Date(endMs).toISOString() });
      await this.load();
    } catch (error) {
      this.complain(error.message);
    }
    this.parts.newReport.disabled = false;
  }

  async download(report, button) {
    button.disabled = true;
    try {
      const address = URL.createObjectURL(await api.blob(`/ecg/reports/${report.report_id}/download`));
      const link = Object.assign(document.createElement("a"), { href: address, download: report.filename });
      link.click();
      setTimeout(() => URL.revokeObjectURL(address), 60000);
    } catch (error) {
      this.complain(error.message);
    }
    button.disabled = false;
  }

  complain(text) {
    write(this.parts.reportError, text);
    this.parts.reportError.hidden = !text;
  }

  render() {
    const rows = this.items.map((report) => this.row(report));
    this.parts.reports.replaceChildren(...(rows.length ? rows : [this.nothing()]));
  }

  row(report) {
    const { root, parts } = clone("report-row");
    const ready = report.upload_status === "uploaded";
    write(parts.title, dayAndClock(moment(report.report_date ?? report.created_at)));
    write(parts.about, [report.heart_rate && `${report.heart_rate} bpm`, (report.file_type ?? "pdf").toUpperCase(), bytes(report.file_size)].filter(Boolean).join(" · "));
    write(parts.state, STATES[report.upload_status] ?? report.upload_status);
    parts.state.dataset.state = report.upload_status;
    parts.state.hidden = ready;
    parts.download.hidden = !ready;
    parts.download.setAttribute("aria-label", `Download report of ${parts.title.textContent}`);
    parts.download.addEventListener("click", () => this.download(report, parts.download));
    return root;
  }

  nothing() {
    const item = document.createElement("li");
    item.className = "nothing";
    item.textContent = "No reports yet. “New report” makes one of the last minute.";
    return item;
  }

  close() {
    this.closed = true;
    clearTimeout(this.timer);
  }
}
