// The control page: its part is drawn anew when something changed; a screen that stays on, the time that is left.

import { keepAwake } from "./awake.js";
import "./keys.js";
import { connectLive, refreshParts, showLost } from "./live.js";
import "./opened.js";
import "./presses.js";
import { runProgress } from "./progress.js";
import { swipeable } from "./swipe.js";

const live = document.getElementById("live");
const OFFLINE_AFTER_SECONDS = 3;
const NOTICE_MS = 6_000;

function enliven() {
  for (const card of document.querySelectorAll("[data-swipes]")) {
    swipeable(card, { right: '[value="show"]', left: '[value="hide"]' });
  }
  const bar = document.querySelector("[data-progress]");
  line = bar ? runProgress(bar) : null;
  showLeft();
}

// What plays: seconds that become fewer.

let line = null;

function showLeft() {
  const left = document.querySelector("[data-left]");
  if (!left || !line) return;
  const seconds = Math.ceil((line.effect.getTiming().duration - line.currentTime) / 1000);
  left.textContent = left.dataset.words.replace("{}", Math.max(seconds, 0));
}

setInterval(showLeft, 250);

keepAwake();

document.addEventListener("htmx:after:swap", enliven);
connectLive({
  realtimeUrl: live.dataset.realtimeUrl,
  ticketUrl: live.dataset.ticketUrl,
  changed: refreshParts,
  connection: (seconds) => showLost(document.getElementById("offline"), seconds, OFFLINE_AFTER_SECONDS),
});
for (const notice of document.querySelectorAll("[data-passes]")) setTimeout(() => notice.remove(), NOTICE_MS);
enliven();
