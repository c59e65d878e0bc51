/** Api: requests with the caller's token, and errors that can be shown as they are. */

import * as session from "./session.js";

const PREFIX = document.querySelector('meta[name="leadwire-api"]').content;
const TIMEOUT_MS = 10000;

/** The server answered, and the answer was no. `message` is the problem document's text. */
export class Refused extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

/** The server can't be reached or isn't ready; trying again later may help. */
export class Away extends Error {}

async function refusal(response) {
  const problem = await response.json().catch(() => ({}));
  const text = typeof problem.detail === "string" ? problem.detail : problem.title;
  return new Refused(response.status, text || `The server answered ${response.status}. Try again, or ask your administrator.`);
}

let renewing = null;

/** Asks for the next pair of tokens; whoever asks meanwhile waits for the same answer, since a refresh token is good once. */
function renew() {
  renewing ??= askForTokens().finally(() => {
    renewing = null;
  });
  return renewing;
}

async function askForTokens() {
  const { refresh, username } = session.current();
  const answer = await (await ask("/auth/refresh-token", { method: "POST", json: { refresh_token: refresh } })).json();
  if (session.current()?.refresh === refresh) session.keep(answer, username); // unless they signed out meanwhile
}

/** The access token to send, renewed if it ends soon. Without an answer the old one is tried: it may still be good. */
export async function freshToken() {
  if (session.isDue()) await renew().catch(() => undefined);
  return session.current()?.token;
}

/** Sends with the caller's token; when that is refused, renews it and sends again, once. */
async function send(path, request = {}) {
  const token = await freshToken();
  try {
    return await ask(path, { ...request, token });
  } catch (error) {
    if (error.status !== 401 || !session.current()?.refresh) throw error;
    if (session.current().token === token) await renew();
    return ask(path, { ...request, token: session.current()?.token });
  }
}

async function ask(path, { method = "GET", json, token } = {}) {
  const headers = { ...(token && { Authorization: `Bearer ${token}` }), ...(json && { "Content-Type": "application/json" }) };
  const request = { method, headers, body: json && JSON.stringify(json), signal: AbortSignal.timeout(TIMEOUT_MS), cache: "no-store" };
  const response = await fetch(PREFIX + path, request).catch((cause) => {
    throw new Away("The server can't be reached. Check the network; this page keeps trying.", { cause });
  });
  if ([502, 503, 504].includes(response.status)) throw new Away("The server isn't ready. This page keeps trying.");
  if (!response.ok) throw await refusal(response);
  return response;
}

/** The JSON of a GET. */
export async function get(path, query = {}) {
  const given = Object.entries(query).filter(([, value]) => value !== undefined);
  return (await send(given.length ? `${path}?${new URLSearchParams(given)}` : path)).json();
}

/** The JSON of a GET and the server's own clock, in ms (NaN when it doesn't say). */
const DEEPEST = 10000; // items that a numbered page may lie behind

export async function getDated(path) {
  const response = await send(path);
  return { body: await response.json(), serverMs: Date.parse(response.headers.get("Date") ?? "") };
}

/** Every item of a paged list, at most `pages` pages of `limit`. */
export async function getAll(path, query, { limit = 500, pages = 8 } = {}) {
  const items = [];
  for (let page = 1; page <= pages; page += 1) {
    const answer = await get(path, { ...query, page, limit });
    items.push(...answer.items);
    if (items.length >= answer.total || answer.items.length === 0) break;
  }
  return items;
}

/** The items of the last page of a list that runs from old to new; of a very long one, of the last that has a number. */
export async function getNewest(path, query, limit = 500) {
  const first = await get(path, { ...query, page: 1, limit });
  const last = Math.min(Math.ceil(first.total / limit), Math.floor(DEEPEST / limit) + 1);
  return last > 1 ? (await get(path, { ...query, page: last, limit })).items : first.items;
}

export async function post(path, json) {
  return (await send(path, { method: "POST", json })).json();
}

export async function blob(path) {
  return (await send(path)).blob();
}

/** Signs in and keeps the tokens. Raises Refused (wrong name or password) or Away. */
export async function signIn(username, password) {
  const answer = await (await ask("/auth/login", { method: "POST", json: { username, password } })).json();
  session.keep(answer, username);
}

/** Tells the server, but signs out here whatever it says. */
export async function signOut() {
  await send("/auth/logout", { method: "POST" }).catch(() => undefined);
  session.forget();
}
