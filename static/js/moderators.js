// The list of moderators follows who comes and goes; a fresh link is copied without being shown.

import { enableCopying, showCopyButtons } from "./copying.js";
import { connectLive, refreshParts } from "./live.js";

const live = document.getElementById("live");

// Not under somebody's hands: an open form stays as it is.
function refresh(topics) {
  if (!document.querySelector("#moderators details[open]")) refreshParts(topics);
}

enableCopying();
showCopyButtons();
connectLive({
  realtimeUrl: live.dataset.realtimeUrl,
  ticketUrl: live.dataset.ticketUrl,
  changed: refresh,
  connection: () => {},
});
setInterval(() => document.hidden || refresh(), 15_000);
