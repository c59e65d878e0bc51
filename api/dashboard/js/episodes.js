/** Episodes: what the rhythm was, newest first; live messages and the stored list are one. */

import * as api from "./api.js";
import { clock, day, duration, moment } from "./figures.js";
import { levelOf } from "./severity.js";
import { clone, write } from "./templates.js";

const PERIOD_MS = 24 * 3600 * 1000;
const SHOWN = 60;

function episodeOf(row) {
  const startMs = moment(row.started_at_us);
  const endMs = moment(row.ended_at_us);
  return { key: `${row.label} ${startMs}`, label: row.label, state: row.state, startMs, endMs, confidence: row.confidence };
}

export class Episodes {
  constructor(list, deviceId) {
    Object.assign(this, { list, deviceId, episodes: new Map() });
    this.load();
  }

  async load() {
    const query = { device_id: this.deviceId, start: new Date(Date.now() - PERIOD_MS).toISOString(), end: new Date(Date.now() + 60000).toISOString() };
    try {
      const rows = await api.getNewest("/ecg/rhythms", query);
      rows.forEach((row) => this.put(row));
      this.failed = "";
    } catch (error) {
      this.failed = error.message;
    }
    this.render();
  }

  /** A closed episode stays closed, whatever arrives late. */
  put(row) {
    const episode = episodeOf(row);
    const known = this.episodes.get(episode.key);
    if (known?.state === "closed" && episode.state !== "closed") return;
    this.episodes.set(episode.key, episode);
  }

  take(row) {
    this.put(row);
    this.render();
  }

  render() {
    const newest = [...this.episodes.values()].sort((a, b) => b.startMs - a.startMs).slice(0, SHOWN);
    if (newest.length) this.list.replaceChildren(...newest.map((episode) => this.row(episode)));
    else this.list.replaceChildren(this.nothing());
  }

  row(episode) {
    const { root, parts } = clone("episode-row");
    const open = episode.state !== "closed";
    const today = new Date(episode.startMs).toDateString() === new Date().toDateString();
    parts.row.dataset.level = levelOf(episode.label, null);
    parts.row.classList.toggle("open", open);
    write(parts.label, episode.label);
    write(parts.when, `${today ? "" : `${day(episode.startMs)}, `}${clock(episode.startMs)} · ${duration((episode.endMs - episode.startMs) / 1000)}`);
    write(parts.now, open ? "now" : `${Math.round(episode.confidence)}\u2009%`);
    return root;
  }

  nothing() {
    const item = document.createElement("li");
    item.className = "nothing";
    item.textContent = this.failed || "No episodes yet.";
    return item;
  }
}
