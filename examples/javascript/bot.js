// A bot that says thank you: prints each donation once, also those that came while it was away.
//
// STREAMCASH_URL    where the site is, https://donate.example.org; with `make run` http://127.0.0.1:8001
// STREAMCASH_TOKEN  an API token with the scope donations:read
// STREAMCASH_STATE  where it remembers (default: bot-state.json)

import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { io } from "socket.io-client";

const { STREAMCASH_URL, STREAMCASH_TOKEN, STREAMCASH_STATE = "bot-state.json" } = process.env;
if (!STREAMCASH_URL || !STREAMCASH_TOKEN) {
  console.error("STREAMCASH_URL and STREAMCASH_TOKEN are needed");
  process.exit(2);
}

// Why coming back would not help.
const HOPELESS = new Set(["bad_message", "unknown_token", "wrong_streamer", "no_scope", "revoked"]);

// How far we are: the cursor of the last message handled, and the donations handled lately.
const state = existsSync(STREAMCASH_STATE)
  ? JSON.parse(readFileSync(STREAMCASH_STATE, "utf8"))
  : { cursor: null, seen: [] };

// After a message was handled, never before: then it may come twice, but never not at all.
function handled({ cursor }) {
  state.cursor = cursor;
  state.seen = state.seen.slice(-2000);
  writeFileSync(`${STREAMCASH_STATE}.new`, JSON.stringify(state));
  renameSync(`${STREAMCASH_STATE}.new`, STREAMCASH_STATE);
}

// Kopecks are whole numbers; 0.1 + 0.2 is not 0.3.
function roubles(minor) {
  return `${Math.trunc(minor / 100)}.${String(minor % 100).padStart(2, "0")}`;
}

function stop(code) {
  console.log(`not let in: ${code}`);
  socket.disconnect();
  process.exitCode = 1;
}

const socket = io(`${STREAMCASH_URL}/events`, {
  transports: ["websocket"],
  // Asked for at each connection: the cursor is the newest one then.
  auth: (give) => give({ token: STREAMCASH_TOKEN, ...(state.cursor && { after: state.cursor }) }),
  reconnectionDelay: 1000,
  reconnectionDelayMax: 30000,
});

socket.on("welcome", (data) => {
  console.log(`listening to ${data.streamer.slug}: ${data.events.join(", ")}`);
  handled(data);
});

socket.on("donation", (data) => {
  if (data.change === "changed") {
    // Refunded, charged back, hidden or shown again: whatever shows the donation is to be put right.
    console.log(`donation ${data.donation_id} is ${data.status}${data.is_hidden ? ", hidden" : ""}`);
  } else if (!state.seen.includes(data.donation_id)) {
    // At least once: what we know already is a repeat.
    const test = data.is_test ? " (test)" : "";
    console.log(`${data.donor_name ?? "Anonymous"}: ${roubles(data.amount_minor)} ${data.currency}${test} ${data.message}`);
    state.seen.push(data.donation_id);
  }
  handled(data);
});

socket.on("stats", (data) => {
  console.log(`today: ${roubles(data.today_minor)} ${data.currency} in ${data.today_donations} donations`);
  handled(data);
});

socket.on("cursor", handled);

socket.on("gap", (data) => {
  console.log("we were away for too long: older donations are to be asked for by the REST API");
  handled(data);
});

// The connection closes now; after `try_again` we come back with our cursor.
socket.on("refused", ({ code }) => {
  if (HOPELESS.has(code)) {
    stop(code);
  }
});

// A refusal of ours: Socket.IO does not come back by itself after one. A network that is away it tries again.
socket.on("connect_error", (error) => {
  const code = error.data?.code;
  if (HOPELESS.has(code)) {
    stop(code);
    return;
  }
  console.log(`no connection to ${STREAMCASH_URL}: trying again`);
  if (!socket.active) {
    setTimeout(() => socket.connect(), 1000 + Math.random() * 2000);
  }
});

// The service stops or restarts: that, too, is for us to come back from.
socket.on("disconnect", (reason) => {
  if (reason === "io server disconnect" && process.exitCode === undefined) {
    setTimeout(() => socket.connect(), 1000 + Math.random() * 2000);
  }
});
