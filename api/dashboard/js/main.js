/** Main: wires the page together and shows the view that the address names. */

import * as api from "./api.js";
import { Alarms } from "./alarms.js";
import { Detail } from "./detail.js";
import * as frame from "./frame.js";
import { closeAll } from "./live.js";
import { Patients } from "./patients.js";
import { Roster } from "./roster.js";
import * as session from "./session.js";
import { Signin } from "./signin.js";

const main = document.getElementById("main");
let roster = null;
let alarms = null;
let view = null;
let overviewScroll = 0;

function show(next, scroll = 0) {
  view?.close();
  view = next;
  main.replaceChildren(view.root);
  window.scrollTo(0, scroll);
  view.focus?.();
}

function route() {
  if (!roster) return;
  const device = location.hash.match(/^#\/devices\/([^/]+)$/);
  if (device) {
    if (view instanceof Patients) overviewScroll = window.scrollY;
    show(new Detail(roster, alarms, decodeURIComponent(device[1])));
    return;
  }
  const patients = new Patients(roster, alarms);
  show(patients);
  patients.update(); // now that it is on the page its width is known
  window.scrollTo(0, overviewScroll);
}

function enter() {
  roster = new Roster();
  alarms = new Alarms();
  roster.addEventListener("change", () => frame.showTally(roster.tally()));
  roster.addEventListener("connection", ({ detail }) => frame.showConnection(detail));
  roster.addEventListener("expired", () => leave("Your session has ended. Sign in again."));
  frame.showBar(session.current().username);
  roster.start();
  alarms.start();
  route();
}

function leave(said = "") {
  roster?.stop();
  alarms?.stop();
  roster = null;
  alarms = null;
  session.forget();
  closeAll();
  frame.showBar(null);
  frame.hideConnection();
  show(new Signin(enter, said));
}

frame.startClock();
frame.onRetry(() => roster?.retryNow());
frame.onSignOut(async () => {
  await api.signOut();
  leave();
});
window.addEventListener("hashchange", route);
document.addEventListener("visibilitychange", () => !document.hidden && roster?.retryNow());

if (session.current()) enter();
else leave();
