/** Patients: everyone at a glance, most severe first. */

import { AlarmPanel } from "./alarmpanel.js";
import { Card } from "./card.js";
import { Grid } from "./grid.js";
import { isAlarm, rankOf } from "./severity.js";
import { clone, press, write } from "./templates.js";

const MAX_STRIPS = 24; // live strips, and so WebSockets, at once
const SHOW = {
  all: () => true,
  alarms: (entry) => isAlarm(entry.level),
  live: (entry) => !entry.lost,
  lost: (entry) => entry.lost,
};

export class Patients {
  constructor(roster, alarms) {
    const { root, parts } = clone("patients-view");
    Object.assign(this, { roster, root, parts, show: "all" });
    this.alarmPanel = new AlarmPanel(parts.alarms, alarms, roster);
    this.grid = new Grid(parts.cards, (deviceId) => new Card(deviceId));
    this.grid.onShown = () => this.enliven();
    this.refresh = () => this.update();
    roster.addEventListener("change", this.refresh);
    roster.addEventListener("connection", this.refresh);
    parts.search.addEventListener("input", this.refresh);
    parts.chips.addEventListener("click", (event) => this.choose(event.target.closest("button")));
    this.update();
  }

  choose(button) {
    if (!button) return;
    this.show = button.dataset.show;
    press(this.parts.chips.children, button);
    this.update();
  }

  /** What the search and the chips leave, most severe first, then by name. */
  chosen() {
    const words = this.parts.search.value.toLowerCase().split(/\s+/).filter(Boolean);
    const fits = (entry) => {
      const text = `${entry.name} ${entry.device} ${entry.label}`.toLowerCase();
      return words.every((word) => text.includes(word));
    };
    const entries = [...this.roster.entries.values()].filter((entry) => SHOW[this.show](entry) && fits(entry));
    return entries.sort((a, b) => rankOf(a.level) - rankOf(b.level) || a.name.localeCompare(b.name) || a.device.localeCompare(b.device));
  }

  update() {
    const entries = this.chosen();
    const all = this.roster.entries.size;
    const live = [...this.roster.entries.values()].filter((entry) => !entry.lost).length;
    write(this.parts.count, this.roster.known ? `${live} live of ${all}${entries.length === all ? "" : `, ${entries.length} shown`}` : "");
    this.parts.empty.hidden = entries.length > 0;
    if (entries.length === 0) this.explain(all);
    this.grid.show(entries);
  }

  explain(all) {
    const [title, text] = this.emptiness(all);
    write(this.parts.emptyTitle, title);
    write(this.parts.emptyText, text);
  }

  emptiness(all) {
    if (!this.roster.known) return this.roster.connected ? ["Loading", "Asking for the patients you may see."] : ["No connection", "Patients appear here as soon as the server answers."];
    if (all === 0) return ["No patients yet", "As soon as a device that you may see sends its first second of signal, its patient appears here."];
    if (this.parts.search.value) return ["Nobody fits", "No patient, device or rhythm matches. Clear the search or choose All."];
    return ["Nobody here", this.show === "alarms" ? "No patient has an alarm now." : "No patient is in this group now."];
  }

  /** The first cards on screen get their live strips; scrolling moves the privilege on. */
  enliven() {
    let left = MAX_STRIPS;
    for (const card of this.onScreenFirst()) {
      const on = left > 0 && !card.entry.lost && Boolean(card.entry.item.user_id);
      if (on) left -= 1;
      card.live(on);
    }
  }

  onScreenFirst() {
    const cards = [...this.grid.cards.values()].map((card) => ({ card, box: card.root.getBoundingClientRect() }));
    const off = ({ box }) => Number(box.bottom < 0 || box.top > window.innerHeight);
    return cards.sort((a, b) => off(a) - off(b) || a.box.top - b.box.top || a.box.left - b.box.left).map(({ card }) => card);
  }

  close() {
    this.roster.removeEventListener("change", this.refresh);
    this.roster.removeEventListener("connection", this.refresh);
    this.alarmPanel.close();
    this.grid.close();
  }
}
