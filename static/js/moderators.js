// The list of moderators follows who comes and goes; a fresh link is copied without being shown.

import { enableCopying, showCopyButtons } from "./copying.js";
import { refreshParts } from "./holds.js";
import { connectLive } from "./live.js";

const live = document.getElementById("live");

// Not under somebody's hands: an open form stays as it is.
function refresh(topics) {
  if (!document.querySelector("#moderators details[open]")) refreshParts(topics);
}

enableCopying((words) => {
  const notice = document.createElement("p");
  notice.className = "notice notice-said";
  notice.textContent = words;
  document.getElementById("notice").replaceChildren(notice);
});
showCopyButtons();
connectLive({
  realtimeUrl: live.dataset.realtimeUrl,
  ticketUrl: live.dataset.ticketUrl,
  changed: refresh,
  connection: () => {},
});
setInterval(() => document.hidden || refresh(), 15_000);
