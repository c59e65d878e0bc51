/** Vitals: the figures beside the strip. */

import { figure, signed } from "./figures.js";
import { write } from "./templates.js";

/** One shape for a live metrics message and for a row of the roster. */
export function fromMessage(message) {
  const { heart_rate_bpm: hr, rr_ms: rr, pr_ms: pr, qrs_ms: qrs, qt_ms: qt, qtc_ms: qtc, st_mv: st, qrs_axis_deg: axis, quality } = message;
  return { hr, rr, pr, qrs, qt, qtc, st, axis, quality };
}

export function writeVitals(parts, vitals) {
  write(parts.hr, figure(vitals.hr));
  write(parts.rr, figure(vitals.rr));
  write(parts.pr, figure(vitals.pr));
  write(parts.qrs, figure(vitals.qrs));
  write(parts.qt, figure(vitals.qt));
  write(parts.qtc, figure(vitals.qtc));
  write(parts.st, signed(vitals.st));
  write(parts.axis, figure(vitals.axis));
  write(parts.quality, figure(vitals.quality === null || vitals.quality === undefined ? null : vitals.quality * 100));
}
