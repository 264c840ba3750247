// The control page: its part is drawn anew when something changed; keys, a screen that stays on, the time that is left.

import { keepAwake } from "./awake.js";
import { connectLive } from "./live.js";
import "./presses.js";

const live = document.getElementById("live");
const keys = document.getElementById("keys");
const OFFLINE_AFTER_SECONDS = 3;
const NOTICE_MS = 6_000;

// The part

function refresh(topics) {
  const part = document.getElementById("console");
  if (!topics || part.dataset.topics.split(" ").some((topic) => topics.includes(topic))) {
    window.htmx.trigger(part, "refresh", {}, false);
  }
}

// What somebody opened stays open when the part is drawn anew.
const opened = new Set();
document.addEventListener(
  "toggle",
  ({ target }) => {
    if (!target.id || target.tagName !== "DETAILS" || !target.isConnected) return;
    if (target.open) opened.add(target.id);
    else opened.delete(target.id);
  },
  true,
);
document.addEventListener("htmx:before:swap", ({ detail }) => {
  for (const task of detail.tasks) {
    for (const id of opened) {
      const found = task.fragment.querySelector(`#${CSS.escape(id)}`);
      if (found) found.open = true;
    }
  }
});
document.addEventListener("htmx:after:swap", showTime);

// What plays: a line that grows, and seconds that become fewer.

let line;

function showTime() {
  const bar = document.querySelector("[data-progress]");
  line?.cancel();
  line = undefined;
  if (!bar || "offered" in bar.dataset) return;
  const duration = Number(bar.dataset.durationMs);
  const frames = [{ transform: "scaleX(0)" }, { transform: "scaleX(1)" }];
  line = bar.firstElementChild.animate(frames, { duration, fill: "forwards" });
  line.currentTime = Math.min(Number(bar.dataset.elapsedMs), duration);
  showLeft();
}

function showLeft() {
  const left = document.querySelector("[data-left]");
  if (!left || !line) return;
  const seconds = Math.ceil((line.effect.getTiming().duration - line.currentTime) / 1000);
  left.textContent = left.dataset.words.replace("{}", Math.max(seconds, 0));
}

setInterval(showLeft, 250);

// Keys, by their place on the keyboard, so that they work in either layout.

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.repeat || keys.open) return;
  if (event.key === "?" || (event.code === "Slash" && event.shiftKey)) keys.showModal();
  else if (/^Key[A-Z]$/.test(event.code)) {
    document.querySelector(`[data-key="${event.code.slice(3).toLowerCase()}"]`)?.click();
  }
});
const openKeys = document.getElementById("open-keys");
if (openKeys) {
  openKeys.hidden = false;
  openKeys.addEventListener("click", () => keys.showModal());
}

keepAwake();

// The connection

function showConnection(seconds) {
  const offline = document.getElementById("offline");
  offline.hidden = seconds < OFFLINE_AFTER_SECONDS;
  if (!offline.hidden) offline.textContent = live.dataset.wordsOffline.replace("{}", seconds);
}

connectLive({
  realtimeUrl: live.dataset.realtimeUrl,
  ticketUrl: live.dataset.ticketUrl,
  changed: refresh,
  connection: showConnection,
});
for (const notice of document.querySelectorAll("[data-passes]")) setTimeout(() => notice.remove(), NOTICE_MS);
showTime();
