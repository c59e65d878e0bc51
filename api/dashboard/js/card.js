/** Card: one patient in the overview. */

import { age, figure } from "./figures.js";
import { bars } from "./leads.js";
import { watch } from "./live.js";
import { Ministrip } from "./ministrip.js";
import { clone, write, writeRhythm } from "./templates.js";

export class Card {
  constructor(deviceId) {
    const { root, parts } = clone("card");
    Object.assign(this, { root, parts, deviceId, strip: null });
    parts.link.href = `#/devices/${encodeURIComponent(deviceId)}`;
  }

  update(entry) {
    const { parts } = this;
    const { item } = entry;
    this.entry = entry;
    if (this.root.dataset.level !== entry.level) this.root.dataset.level = entry.level;
    write(parts.name, entry.name);
    write(parts.device, entry.device);
    write(parts.rate, figure(entry.lost ? null : item.heart_rate));
    write(parts.age, age(entry.ageS));
    writeRhythm(parts, entry);
    this.writeQuality(entry.lost ? 0 : (item.quality ?? 0));
    write(parts.flat, this.flat(entry));
    this.name(entry);
  }

  flat(entry) {
    if (entry.lost) return Number.isFinite(entry.ageS) ? `No signal for ${age(entry.ageS)}` : "No signal yet";
    if (!this.strip) return "Open for the live strip";
    return this.link === "lost" ? "Reconnecting" : "";
  }

  writeQuality(quality) {
    const shown = String(bars(quality));
    if (this.parts.quality.dataset.bars === shown) return;
    this.parts.quality.dataset.bars = shown;
    this.parts.quality.setAttribute("aria-label", `Signal quality ${shown} of 4`);
  }

  name(entry) {
    const spoken = `${entry.name}, ${entry.label}, ${entry.lost ? "no signal" : `${figure(entry.item.heart_rate)} beats per minute`}`;
    if (this.parts.link.getAttribute("aria-label") !== spoken) this.parts.link.setAttribute("aria-label", spoken);
  }

  /** Turns the live strip on or off; it costs a WebSocket. */
  live(on) {
    if (on === (this.strip !== null)) return;
    if (!on) return this.still();
    const { stream, leave } = watch(this.entry.item.user_id, { deviceId: this.deviceId, onState: (state) => this.tell(state) });
    this.leave = leave;
    this.strip = new Ministrip(this.parts.canvas, stream);
    this.tell(this.link);
    return undefined;
  }

  tell(link) {
    this.link = link;
    this.root.classList.toggle("unlinked", link === "lost");
    write(this.parts.flat, this.flat(this.entry));
  }

  still() {
    this.leave();
    this.strip.close();
    this.strip = null;
  }

  close() {
    this.live(false);
  }
}
