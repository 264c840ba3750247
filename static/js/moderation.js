// The streamer's page of what waits: realtime says that something changed, and its parts ask the server for themselves.

import { enableHolds, sayHere } from "./holds.js";
import { connectLive, refreshParts } from "./live.js";

const live = document.getElementById("live");

enableHolds();
sayHere();
connectLive({
  realtimeUrl: live.dataset.realtimeUrl,
  ticketUrl: live.dataset.ticketUrl,
  changed: refreshParts,
  connection: () => {},
});
