/** Variability: a line about the newest five minutes whose heart rate variability is known. */

import * as api from "./api.js";
import { clock, figure, moment } from "./figures.js";
import { write } from "./templates.js";

const EVERY_MS = 60000;
const RECENT_MS = 1800000; // an older stretch says nothing about now
const REASONS = { little_nn: "too few normal beats", atrial_fibrillation: "atrial fibrillation", not_computable: "no result" };

export class Variability {
  constructor(parts, deviceId) {
    Object.assign(this, { parts, deviceId });
    this.timer = setInterval(() => this.load(), EVERY_MS);
    this.load();
  }

  async load() {
    const start = new Date(Date.now() - RECENT_MS).toISOString();
    try {
      const [newest] = (await api.get("/ecg/hrv", { device_id: this.deviceId, start, limit: 1 })).items;
      write(this.parts.variability, newest ? said(newest) : "");
    } catch {
      write(this.parts.variability, ""); // the page tells elsewhere that the server is away
    }
  }

  close() {
    clearInterval(this.timer);
  }
}

function said({ stretch_start: start, reason, sdnn_ms: sdnn, rmssd_ms: rmssd, lf_hf: ratio }) {
  const when = `HRV, 5 min from ${clock(moment(start), false)}:`;
  if (reason) return `${when} none, ${REASONS[reason] ?? reason}`;
  return `${when} SDNN\u202f${figure(sdnn)} ms \u00b7 RMSSD\u202f${figure(rmssd)} ms \u00b7 LF/HF\u202f${figure(ratio, 2)}`;
}
