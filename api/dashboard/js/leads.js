/** Leads: how well each can be read, and which one the figures come from. */

import { figure } from "./figures.js";
import { clone, write } from "./templates.js";

const WORDS = { missing: "samples missing", flat: "flat", lead_off: "lead off", saturated: "saturated", noise: "noise" };
const BARS = 4;

/** Four bars for the whole range; none only for what can't be read at all. */
export function bars(quality) {
  return Math.ceil(Math.max(0, Math.min(1, quality ?? 0)) * BARS);
}

export function problems(flags) {
  return (flags ?? []).map((flag) => WORDS[flag] ?? flag).join(", ");
}

export class Leads {
  constructor(list) {
    Object.assign(this, { list, chips: [] });
  }

  /** @param {{lead: string, quality: number, flags: string[]}[]} leads in the recording's order */
  show(leads, mainLead) {
    this.list.parentElement.hidden = leads.length < 2; // of a single lead the signal's own figure says it all
    while (this.chips.length < leads.length) this.add();
    while (this.chips.length > leads.length) this.chips.pop().root.remove();
    leads.forEach((each, at) => this.write(this.chips[at], each, each.lead === mainLead));
  }

  add() {
    const chip = clone("lead");
    this.chips.push(chip);
    this.list.append(chip.root);
  }

  write({ root, parts }, { lead, quality, flags }, isMain) {
    const told = [`${lead}: ${figure(quality * 100)} %`, problems(flags), isMain && "figures are measured here"].filter(Boolean).join(", ");
    write(parts.name, lead);
    root.classList.toggle("main", isMain);
    if (root.title === told) return;
    root.title = told;
    parts.quality.dataset.bars = String(bars(quality));
    parts.quality.setAttribute("aria-label", told);
  }
}
