/** Backoff: how long to wait before the next try; doubles to a ceiling, spread so that many pages don't come back at once. */

export class Backoff {
  constructor({ firstMs = 1000, ceilingMs = 15000, random = Math.random } = {}) {
    Object.assign(this, { firstMs, ceilingMs, random });
    this.failures = 0;
  }

  /** Milliseconds until the next try: 75 to 125 % of first * 2^failures. */
  next() {
    const wait = Math.min(this.ceilingMs, this.firstMs * 2 ** this.failures);
    this.failures += 1;
    return wait * (0.75 + this.random() / 2);
  }

  reset() {
    this.failures = 0;
  }
}
