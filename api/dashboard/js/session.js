/** Session: who is signed in. The token lives in sessionStorage only, so closing the tab forgets it. */

const KEY = "leadwire.session";

/** @returns {{token: string, username: string} | null} */
export function current() {
  const kept = sessionStorage.getItem(KEY);
  return kept ? JSON.parse(kept) : null;
}

export function keep(token, username) {
  sessionStorage.setItem(KEY, JSON.stringify({ token, username }));
}

export function forget() {
  sessionStorage.removeItem(KEY);
}
