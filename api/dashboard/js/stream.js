/** Stream: a device's live messages, kept as signal, beats and playhead for whoever draws them. */

import { Beats } from "./marks.js";
import { Playout } from "./playout.js";
import { Signal } from "./signal.js";

/** Dispatches "recording" (a new signal begins), "late" (a gap was filled in) and "beats" (detail: the new ones). */
export class Stream extends EventTarget {
  constructor() {
    super();
    Object.assign(this, { signal: null, beats: new Beats(), playout: new Playout(), arrivedMs: null });
  }

  samples(block, nowMs = performance.now()) {
    this.arrivedMs = nowMs;
    if (!this.signal?.continues(block)) this.restart(block);
    const count = block.samples[0]?.length ?? 0;
    const late = this.signal.add(block);
    this.playout.push((block.first_index + count) / block.rate_hz, count / block.rate_hz, nowMs);
    if (late) this.dispatchEvent(new CustomEvent("late"));
  }

  restart(block) {
    this.signal = new Signal(block);
    this.playout = new Playout();
    this.beats = this.early?.recordingId === block.recording_id ? this.early.beats : new Beats();
    this.early = null;
    this.dispatchEvent(new CustomEvent("recording"));
  }

  /** Beats of a recording whose samples haven't come yet are kept for when they do. */
  addBeats(message) {
    if (this.signal?.recordingId !== message.recording_id) {
      if (this.early?.recordingId !== message.recording_id) this.early = { recordingId: message.recording_id, beats: new Beats() };
      this.early.beats.add(message.beats);
      return;
    }
    const fresh = this.beats.add(message.beats);
    if (fresh.length) this.dispatchEvent(new CustomEvent("beats", { detail: fresh }));
  }
}
