/** Frame: what stays around every view: bar, tally, clock, banner, status line. */

import { clock } from "./figures.js";
import { write } from "./templates.js";

const $ = (id) => document.getElementById(id);

export function showBar(username) {
  $("bar").hidden = username === null;
  write($("who"), username ?? "");
}

export function showTally(counts) {
  for (const item of $("tally").children) {
    const count = counts[item.dataset.level];
    write(item.querySelector("b"), String(count));
    item.classList.toggle("some", count > 0);
  }
  write($("foot-alarms"), `${counts.critical} critical, ${counts.warning} warning`);
}

export function showConnection({ connected, text }) {
  $("banner").hidden = connected;
  write($("banner-text"), connected ? "" : `Connection lost, retrying. ${text}`);
  write($("foot-status"), connected ? "Connected" : "Connection lost");
}

export function hideConnection() {
  $("banner").hidden = true;
  write($("foot-status"), "");
}

export function onSignOut(call) {
  $("sign-out").addEventListener("click", call);
}

export function onRetry(call) {
  $("banner-retry").addEventListener("click", call);
}

export function startClock() {
  const tick = () => {
    write($("clock"), clock(Date.now()));
    setTimeout(tick, 1000 - (Date.now() % 1000));
  };
  tick();
}
