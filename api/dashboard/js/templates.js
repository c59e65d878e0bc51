/** Templates: parts of the page, cloned from index.html, with their named elements at hand. */

/** @returns {{root: HTMLElement, parts: Record<string, HTMLElement>}} */
export function clone(id) {
  const root = document.getElementById(id).content.firstElementChild.cloneNode(true);
  const parts = {};
  for (const element of [root, ...root.querySelectorAll("[data-ref]")]) if (element.dataset.ref) parts[element.dataset.ref] = element;
  return { root, parts };
}

/** Sets text only when it differs, so that an unchanged page costs nothing. */
export function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

export function press(buttons, chosen) {
  for (const button of buttons) button.setAttribute("aria-pressed", String(button === chosen));
}

/** A rhythm label with its confidence and colour. */
export function writeRhythm(parts, { label, confidence, level, sure }) {
  write(parts.label, label);
  write(parts.confidence, confidence === null ? "" : `${Math.round(confidence)}\u2009%`);
  parts.rhythm.dataset.level = level;
  parts.rhythm.classList.toggle("sure", sure);
  parts.rhythm.classList.toggle("unsure", !sure);
}
