// What this browser has shown lately, kept over reloads, so that it is confirmed again and never played again.

const SEEN_KEY = "streamcash.seen";
const RELOADED_KEY = "streamcash.reloaded";
const KEPT = 30;

export class Memory {
  // Storage may be forbidden or full; then the memory lasts as long as the page.
  #fallback = new Map();

  // As the hello carries it, the newest last.
  seen() {
    const kept = this.#read(SEEN_KEY, []);
    return Array.isArray(kept) ? kept : [];
  }

  hasSeen(alertId) {
    return this.seen().some((word) => word.alert_id === alertId);
  }

  rememberSeen(alert) {
    this.#remember(alert, false);
  }

  rememberFinished(alert) {
    // An alert that ended before it could be read was not shown.
    if (this.hasSeen(alert.alert_id)) this.#remember(alert, true);
  }

  mayReload(atMostEveryMs) {
    return Date.now() - this.#read(RELOADED_KEY, 0) > atMostEveryMs;
  }

  rememberReload() {
    this.#write(RELOADED_KEY, Date.now());
  }

  #remember({ alert_id, lease_id }, finished) {
    const others = this.seen().filter((word) => word.lease_id !== lease_id);
    this.#write(SEEN_KEY, [...others, { alert_id, lease_id, finished }].slice(-KEPT));
  }

  #read(key, otherwise) {
    try {
      const text = localStorage.getItem(key);
      return text === null ? otherwise : JSON.parse(text);
    } catch {
      return this.#fallback.get(key) ?? otherwise;
    }
  }

  #write(key, value) {
    this.#fallback.set(key, value);
    try {
      localStorage.setItem(key, JSON.stringify(value));
    } catch {
      // The fallback has it.
    }
  }
}
