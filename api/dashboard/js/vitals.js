/** Vitals: the figures beside the strip. */

import { figure, NOTHING, signed } from "./figures.js";
import { problems } from "./leads.js";
import { write } from "./templates.js";

/** One shape for a live metrics message and for a row of the roster. */
export function fromMessage(message) {
  const { heart_rate_bpm: hr, rr_ms: rr, pr_ms: pr, qrs_ms: qrs, qt_ms: qt, qtc_ms: qtc, st_mv: st, qrs_axis_deg: axis, quality } = message;
  const { qtc_bazett_ms: bazett, qtc_framingham_ms: framingham, qtc_hodges_ms: hodges, st80_mv: st80, p_axis_deg: pAxis, t_axis_deg: tAxis } = message;
  const { main_lead: mainLead = null, leads = [] } = message;
  return { hr, rr, pr, qrs, qt, qtc, bazett, framingham, hodges, st, st80, axis, pAxis, tAxis, quality, mainLead, leads };
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
  write(parts.qtcMore, more(["B", figure(vitals.bazett)], ["Fm", figure(vitals.framingham)], ["H", figure(vitals.hodges)]));
  write(parts.stMore, more(["J+80", signed(vitals.st80)]));
  write(parts.axisMore, more(["P", figure(vitals.pAxis)], ["T", figure(vitals.tAxis)]));
  write(parts.qualityMore, signalOf(vitals));
}

/** What can be told beside the figure, each after its name; nothing when none of it can. */
function more(...told) {
  return told.filter(([, text]) => text !== NOTHING).map(([name, text]) => `${name}\u202f${text}`).join(" \u00b7 ");
}

function signalOf({ mainLead, leads = [] }) {
  const measured = leads.find(({ lead }) => lead === mainLead);
  return [mainLead, problems(measured?.flags)].filter(Boolean).join(" \u00b7 ");
}
