/** Live: one WebSocket per patient and one stream per device, shared by whoever watches, reconnecting by itself. */

import { freshToken } from "./api.js";
import { Backoff } from "./backoff.js";
import { Stream } from "./stream.js";

const LINGER_MS = 1500; // scrolling past a card and back shouldn't reconnect

class Feed {
  constructor(userId, onIdle) {
    Object.assign(this, { userId, onIdle, watchers: new Set(), streams: new Map(), backoff: new Backoff(), state: "connecting" });
    this.connect();
  }

  async connect() {
    const token = await freshToken();
    if (!token || this.closed) return;
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    this.socket = new WebSocket(`${scheme}://${location.host}/ws/ecg/${encodeURIComponent(this.userId)}`, ["leadwire", `bearer.${token}`]);
    this.socket.onmessage = ({ data }) => this.spread(JSON.parse(data));
    this.socket.onclose = () => this.again();
  }

  /** Only now is the caller known to be allowed: a socket opens before its token is looked at. */
  welcome() {
    this.backoff.reset();
    this.tell("open");
  }

  again() {
    if (this.closed) return;
    this.tell("lost");
    this.retry = setTimeout(() => this.connect(), this.backoff.next());
  }

  tell(state) {
    this.state = state;
    for (const watcher of this.watchers) watcher.onState?.(state);
  }

  stream(deviceId) {
    if (!this.streams.has(deviceId)) this.streams.set(deviceId, new Stream());
    return this.streams.get(deviceId);
  }

  spread(message) {
    if (message.type === "hello") this.welcome();
    else if (message.type === "samples") this.stream(message.device_id).samples(message);
    else if (message.type === "beats") this.stream(message.device_id).addBeats(message);
    for (const watcher of this.watchers) {
      if (message.device_id === undefined || message.device_id === watcher.deviceId) watcher.onMessage?.(message);
    }
  }

  leave(watcher) {
    this.watchers.delete(watcher);
    if (this.watchers.size === 0) setTimeout(() => this.watchers.size === 0 && this.close(), LINGER_MS);
  }

  close() {
    this.closed = true;
    clearTimeout(this.retry);
    this.socket?.close();
    this.onIdle(this);
  }
}

const feeds = new Map();

/**
 * Watches one device of a patient until `leave` is called. The stream may already hold what others watched.
 * @param {{deviceId: string, onMessage?: (message: object) => void, onState?: (state: "connecting"|"open"|"lost") => void}} watcher
 * @returns {{stream: Stream, leave: () => void}}
 */
export function watch(userId, watcher) {
  if (!feeds.has(userId)) feeds.set(userId, new Feed(userId, (feed) => feeds.get(userId) === feed && feeds.delete(userId)));
  const feed = feeds.get(userId);
  feed.watchers.add(watcher);
  watcher.onState?.(feed.state);
  return { stream: feed.stream(watcher.deviceId), leave: () => feed.leave(watcher) };
}

export function closeAll() {
  for (const feed of [...feeds.values()]) feed.close();
}
