// The live connection of a page of the desk: realtime says only what kind of thing changed, the page asks for the rest.
// While the connection is away, and after the machine slept, the page asks by itself.

import { io } from "../vendor/socket.io.esm.min.js";

const LOOK_MS = 10_000;
const REST_MS = 300;

// `changed(topics)`: look again, at everything without topics; at most every 300 ms, and never missing the last change.
// (A trigger's own throttle forgets what it put off when the part is swapped meanwhile.)
// `connection(seconds)`: for how long there has been none.
export function connectLive({ realtimeUrl, ticketUrl, changed: look, connection }) {
  const changed = coalesced(look);
  let lostAt = performance.now();
  let retry;

  const socket = io(`${realtimeUrl}/dashboard`, {
    transports: ["websocket"],
    reconnectionDelay: 500,
    reconnectionDelayMax: 5_000,
    auth: (give) => getTicket(ticketUrl).then((ticket) => give({ ticket }), () => give({ ticket: "" })),
  });
  const tell = () => connection(lostAt === undefined ? 0 : Math.floor((performance.now() - lostAt) / 1000));
  // Never twice at once: of a socket that asks in the middle of connecting the server refuses the second, and Socket.IO
  // then thinks it is connected and hears nothing any more.
  const connect = () => socket.active || socket.connect();
  const again = () => {
    clearTimeout(retry);
    retry = setTimeout(connect, 2_000);
  };

  socket.on("connect", () => {
    lostAt = undefined;
    clearTimeout(retry);
    tell();
    changed();
  });
  socket.on("changed", ({ topics }) => changed(topics));
  socket.on("disconnect", (reason) => {
    lostAt = performance.now();
    if (reason === "io server disconnect") again();
  });
  // Refused rather than not reached (a ticket that grew old): Socket.IO does not try again by itself.
  socket.on("connect_error", () => !socket.active && again());

  setInterval(tell, 1_000);
  setInterval(() => lostAt !== undefined && !document.hidden && changed(), LOOK_MS);
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) return;
    connect();
    changed();
  });
  addEventListener("online", connect);
  addEventListener("pageshow", (event) => event.persisted && changed());
}

function coalesced(look) {
  let resting = false;
  // What changed during the rest; null is everything.
  let put = [];
  return function changed(topics) {
    if (resting) {
      put = put && topics ? [...put, ...topics] : null;
      return;
    }
    resting = true;
    look(topics);
    setTimeout(() => {
      const missed = put;
      resting = false;
      put = [];
      if (missed?.length !== 0) changed(missed ?? undefined);
    }, REST_MS);
  };
}

// Parts whose topics changed are asked for anew; all of them without topics. A tab in the background looks at nothing,
// so it does not say that somebody is here.
export function refreshParts(topics) {
  for (const part of document.querySelectorAll("[data-topics]")) {
    if (part.id === "here" && document.hidden) continue;
    if (!topics || part.dataset.topics.split(" ").some((topic) => topics.includes(topic))) {
      window.htmx.trigger(part, "refresh", {}, false);
    }
  }
}

// For how long there has been no connection, counted for the eye (`[data-counted]`) and told once to a screen reader
// (`[data-told]`, an empty live region until then).
export function showLost(place, seconds, fromSeconds) {
  const isLost = seconds >= fromSeconds;
  const told = place.querySelector("[data-told]");
  const counted = place.querySelector("[data-counted]");
  counted.hidden = !isLost;
  if (isLost) counted.textContent = counted.dataset.counted.replace("{}", seconds);
  if (told.textContent !== (isLost ? told.dataset.told : "")) told.textContent = isLost ? told.dataset.told : "";
}

async function getTicket(url) {
  const response = await fetch(url, { headers: { Accept: "application/json" } });
  // Signed out, or let out: the page itself says so.
  if (response.redirected || response.status === 404) location.reload();
  if (!response.ok) throw new Error(`no ticket: ${response.status}`);
  return (await response.json()).ticket;
}
