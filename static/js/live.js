// The live connection of a page of the desk: realtime says only what kind of thing changed, the page asks for the rest.
// While the connection is away, and after the machine slept, the page asks by itself.

import { io } from "../vendor/socket.io.esm.min.js";

const LOOK_MS = 10_000;

// `changed(topics)`: look again, at everything without topics. `connection(seconds)`: for how long there has been none.
export function connectLive({ realtimeUrl, ticketUrl, changed, connection }) {
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
  addEventListener("pageshow", (event) => event.persisted && changed());
}

async function getTicket(url) {
  const response = await fetch(url, { headers: { Accept: "application/json" } });
  // Signed out, or let out: the page itself says so.
  if (response.redirected || response.status === 404) location.reload();
  if (!response.ok) throw new Error(`no ticket: ${response.status}`);
  return (await response.json()).ticket;
}
