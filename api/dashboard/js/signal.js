/** Signal: the last minutes of one recording, by sample index; what never came is NaN. */

const KEPT_S = 60;

export class Signal {
  /** @param {{recording_id: string, first_index: number, rate_hz: number, leads: string[]}} block the first one */
  constructor(block) {
    this.recordingId = block.recording_id;
    this.rateHz = block.rate_hz;
    this.leads = block.leads;
    this.size = Math.ceil(KEPT_S * block.rate_hz);
    this.rings = block.leads.map(() => new Float32Array(this.size).fill(NaN));
    this.first = block.first_index;
    this.end = block.first_index;
  }

  /** Same acquisition, so the block belongs here. */
  continues(block) {
    return block.recording_id === this.recordingId && block.rate_hz === this.rateHz && block.leads.length === this.leads.length;
  }

  /** Takes a block in; the first value of an index stays. Returns whether it filled in something older than `end`. */
  add(block) {
    const before = this.end;
    const end = block.first_index + (block.samples[0]?.length ?? 0);
    this.clear(before, end);
    this.end = Math.max(before, end);
    const filled = this.rings.map((ring, lead) => this.fill(ring, block, lead));
    return block.first_index < before && filled.some((count) => count > 0);
  }

  clear(from, to) {
    for (const ring of this.rings) {
      for (let index = Math.max(from, to - this.size); index < to; index += 1) ring[index % this.size] = NaN;
    }
  }

  fill(ring, block, lead) {
    const mvPerLsb = block.uv_per_lsb[lead] / 1000;
    const oldest = this.end - this.size;
    let filled = 0;
    block.samples[lead].forEach((value, offset) => {
      const index = block.first_index + offset;
      if (value === null || index < oldest || index < this.first || !Number.isNaN(ring[index % this.size])) return;
      ring[index % this.size] = value * mvPerLsb;
      filled += 1;
    });
    return filled;
  }

  /** Millivolts, or NaN outside what is kept. */
  at(lead, index) {
    if (index < this.first || index < this.end - this.size || index >= this.end) return NaN;
    return this.rings[lead][index % this.size];
  }

  /** How a lead lay in [from, to), in mV: a strip's baseline and reach. All 0 when nothing came. */
  spread(lead, from, to) {
    const values = [];
    for (let index = Math.floor(from); index < to; index += 1) {
      const value = this.at(lead, index);
      if (!Number.isNaN(value)) values.push(value);
    }
    if (values.length === 0) return { low: 0, median: 0, high: 0 };
    values.sort((a, b) => a - b);
    return { low: values[0], median: values[values.length >> 1], high: values[values.length - 1] };
  }
}
