/** Geometry: where a moment and a voltage fall on a strip, in CSS pixels. Pure. */

const BAND_MM = 6; // the row of beat marks above the first lead
const FOOT_MM = 5; // below the last lead, where the scale is printed
const GUTTER_MM = 12; // lead name and calibration pulse left of the trace
const MIDDLE = 0.55; // of a lane above its baseline: beats reach up more than down

function laneMm(leads) {
  if (leads <= 2) return 35;
  if (leads <= 3) return 30;
  return leads <= 6 ? 25 : 20;
}

/**
 * @param {{width: number, leads: number, pxPerMm: number, mmPerS: number, mmPerMv: number}} wish
 * @returns layout: x0 and width of the trace area, windowS seconds across, one baseline per lead
 */
export function page({ width, leads, pxPerMm, mmPerS, mmPerMv }) {
  const lane = laneMm(leads) * pxPerMm;
  const x0 = GUTTER_MM * pxPerMm;
  const band = BAND_MM * pxPerMm;
  const baselines = Array.from({ length: leads }, (_, lead) => band + lane * (lead + MIDDLE));
  return { ...scales({ x0, width, pxPerMm, mmPerS, mmPerMv }), baselines, band, lane, height: band + lane * leads + FOOT_MM * pxPerMm };
}

/** A single lead in a box of fixed size, without paper: the strip on a card. */
export function box({ width, height, pxPerMm, mmPerS = 25, mmPerMv = 10 }) {
  return { ...scales({ x0: 0, width, pxPerMm, mmPerS, mmPerMv }), baselines: [height / 2], band: 0, lane: height, height };
}

function scales({ x0, width, pxPerMm, mmPerS, mmPerMv }) {
  const pxPerS = mmPerS * pxPerMm;
  return { x0, width, pxPerMm, mmPerS, mmPerMv, pxPerS, pxPerMv: mmPerMv * pxPerMm, windowS: Math.max(0.5, (width - x0) / pxPerS) };
}

/** The layout with less gain, where a signal is higher than its box; its middle goes to the middle. */
export function shrunk(layout, reachMv) {
  const full = layout.mmPerMv * layout.pxPerMm;
  return { ...layout, pxPerMv: Math.min(full, (layout.height - 8) / Math.max(reachMv, 0.01)) };
}

/** The column of a moment; the strip is written again and again from left to right. */
export function xOf(layout, seconds) {
  const turns = seconds / layout.windowS;
  return layout.x0 + (turns - Math.floor(turns)) * layout.windowS * layout.pxPerS;
}

export function yOf(layout, lead, mv) {
  return layout.baselines[lead] - mv * layout.pxPerMv;
}
