/** Ink: the colours a canvas draws with, read from the style sheet of its theme. */

export function inkOf(element) {
  const style = getComputedStyle(element);
  const colour = (name) => style.getPropertyValue(`--${name}`).trim();
  return {
    ground: colour("strip-ground"), minor: colour("strip-minor"), major: colour("strip-major"),
    trace: colour("strip-trace"), text: colour("strip-ink"), gap: colour("strip-gap"), beatText: colour("beat-ink"),
    beats: { N: colour("beat-n"), S: colour("beat-s"), V: colour("beat-v"), F: colour("beat-f"), Q: colour("beat-q") },
    font: style.fontFamily,
  };
}

/** Sizes a canvas for the screen's pixels and returns its context, in CSS pixels. */
export function fit(canvas, width, height) {
  const ratio = window.devicePixelRatio || 1;
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(height * ratio);
  canvas.style.width = `${width}px`;
  canvas.style.height = `${height}px`;
  const ctx = canvas.getContext("2d");
  ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
  return ctx;
}
