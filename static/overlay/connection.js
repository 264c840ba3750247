// The socket: comes back by itself, for ever, and says each word until it was heard.

import { io } from "../vendor/socket.io.esm.min.js";

const ANSWER_MS = 6_000;
const AGAIN_MS = 1_000;
// A token that opens nothing may be pasted anew, which loads the page anew; asking seldom is enough.
const REFUSED_AGAIN_MS = 60_000;

export class Connection {
  #socket;
  #on;
  #overlayId = randomUuid();
  #waiting = [];
  #saying = false;

  constructor(url, on) {
    this.#on = on;
    this.#socket = io(`${url}/overlay`, {
      autoConnect: false,
      auth: (send) => send({ overlay_id: this.#overlayId, ...on.hello() }),
      transports: ["websocket", "polling"],
      tryAllTransports: true,
      reconnectionDelay: 500,
      reconnectionDelayMax: 5_000,
      timeout: 10_000,
    });
    const socket = this.#socket;
    for (const event of ["role", "controls", "offer", "mirror", "stop"]) socket.on(event, on[event]);
    socket.on("welcome", (data) => {
      on.welcome(data);
      this.#sayNext();
    });
    socket.on("refused", (data) => on.refused(data.code));
    socket.on("connect_error", (error) => this.#failed(error));
    socket.on("disconnect", (reason) => {
      // What was not heard yet is in the next hello.
      this.#waiting = [];
      on.lost();
      if (reason === "io server disconnect") this.#again(AGAIN_MS);
    });
  }

  open() {
    this.#socket.connect();
  }

  leave() {
    this.#socket.disconnect();
  }

  // Say a word about an alert's lease, in order, again and again until it is answered for good.
  say(event, { alert_id, lease_id }) {
    if (!this.#socket.connected) return;
    this.#waiting.push([event, { alert_id, lease_id }]);
    this.#sayNext();
  }

  // What was told to end is off the screen.
  stopped(leaseId) {
    if (!this.#socket.connected) return;
    this.#waiting.push(["stopped", { lease_id: leaseId }]);
    this.#sayNext();
  }

  state(state) {
    this.#sayLatest("state", state);
  }

  muted(muted) {
    this.#sayLatest("muted", { muted });
  }

  // Of several that wait to be said only the last is true.
  #sayLatest(event, data) {
    if (!this.#socket.connected) return;
    this.#waiting = this.#waiting.filter(([waiting]) => waiting !== event);
    this.#waiting.push([event, data]);
    this.#sayNext();
  }

  #sayNext() {
    if (this.#saying || !this.#waiting.length || !this.#socket.connected) return;
    this.#saying = true;
    const next = this.#waiting[0];
    this.#socket.timeout(ANSWER_MS).emit(next[0], next[1], (error, answer) => {
      this.#saying = false;
      if (error || answer?.code === "try_again") {
        setTimeout(() => this.#sayNext(), AGAIN_MS);
        return;
      }
      if (this.#waiting[0] === next) this.#waiting.shift();
      this.#sayNext();
    });
  }

  #failed(error) {
    const code = error.data?.code;
    this.#on.lost();
    if (code && code !== "try_again") this.#on.refused(code);
    // A refusal by the server, unlike a network failure, is not tried again by the library.
    if (!this.#socket.active) this.#again(!code || code === "try_again" ? AGAIN_MS : REFUSED_AGAIN_MS);
  }

  #again(delayMs) {
    setTimeout(() => this.#socket.connect(), delayMs * (0.5 + Math.random()));
  }
}

// crypto.randomUUID is missing on plain http, which self-hosters use at home.
function randomUuid() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}
