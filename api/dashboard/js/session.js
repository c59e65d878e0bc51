/** Session: who is signed in. The tokens live in sessionStorage only, so closing the tab forgets them. */

const KEY = "leadwire.session";
const EARLY = 0.1; // of a token's life, at most a minute: it is renewed before it ends, not after
const EARLY_MS = 60000;

/** @returns {{token: string, refresh: string | null, renewAtMs: number | null, username: string} | null} */
export function current() {
  const kept = sessionStorage.getItem(KEY);
  return kept ? JSON.parse(kept) : null;
}

/** Keeps what a login or a renewal answered. Its end is counted from now by this machine's clock, whatever that shows. */
export function keep(answer, username) {
  const lifeMs = (answer.expires_in ?? NaN) * 1000;
  const renewAtMs = lifeMs > 0 ? Date.now() + lifeMs - Math.min(EARLY_MS, lifeMs * EARLY) : null;
  sessionStorage.setItem(KEY, JSON.stringify({ token: answer.access_token, refresh: answer.refresh_token ?? null, renewAtMs, username }));
}

/** Whether the access token ends soon, or has. */
export function isDue(session = current()) {
  return Boolean(session?.refresh) && session.renewAtMs !== null && Date.now() >= session.renewAtMs;
}

export function forget() {
  sessionStorage.removeItem(KEY);
}
