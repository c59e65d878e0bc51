/** Ticker: one animation frame for every strip on the page; once a second where motion is unwelcome. */

const calm = window.matchMedia("(prefers-reduced-motion: reduce)");
const callers = new Map();
let running = false;

function tick(nowMs) {
  for (const [call, timing] of callers) {
    const everyMs = calm.matches ? 1000 : timing.everyMs;
    if (nowMs - timing.lastMs < everyMs - 2) continue;
    timing.lastMs = nowMs;
    call(nowMs);
  }
  running = callers.size > 0;
  if (running) requestAnimationFrame(tick);
}

/** Calls `call(nowMs)` at every frame, or at most every `everyMs`, until the returned function is called. */
export function onFrame(call, everyMs = 0) {
  callers.set(call, { everyMs, lastMs: -Infinity });
  if (!running) requestAnimationFrame(tick);
  running = true;
  return () => callers.delete(call);
}
