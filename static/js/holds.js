// Cards that wait for a decision, on the streamer's page and on a moderator's: deadlines counted down, keys, swipes, who
// looks. Without script each button is a form and each reload shows the truth.

import { swipeable } from "./swipe.js";

const NOTICE_MS = 6_000;
const BEAT_MS = 10_000;

export function enableHolds() {
  document.addEventListener("htmx:after:swap", enliven);
  setInterval(count, 1_000);
  enliven();
}

// Whoever looks says so every few seconds.
export function sayHere() {
  const say = () => !document.hidden && window.htmx.trigger(document.getElementById("here"), "refresh", {}, false);
  setInterval(say, BEAT_MS);
}

// What is left of each deadline, and notices that pass.

let countedAt;

function count() {
  const now = performance.now();
  for (const left of document.querySelectorAll("[data-seconds]")) {
    const seconds = Number(left.dataset.seconds) - (now - countedAt) / 1000;
    if (seconds <= 0) left.textContent = left.dataset.wordsLast;
    else if (seconds < 100) left.textContent = `${Math.ceil(seconds)} ${document.documentElement.lang === "ru" ? "с" : "s"}`;
  }
}

export function enliven() {
  countedAt = performance.now();
  count();
  for (const card of document.querySelectorAll("[data-swipes]")) {
    swipeable(card, { right: '[value="show"]', left: '[value="hide"]' });
  }
  for (const notice of document.querySelectorAll("[data-passes]")) {
    if (notice.dataset.passes) continue;
    notice.dataset.passes = "soon";
    setTimeout(() => notice.remove(), NOTICE_MS);
  }
}

// Keys, by their place on the keyboard, so that they work in either layout.

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
  if (event.target.matches("input:not([readonly]), textarea, select")) return;
  if (!/^Key[A-Z]$/.test(event.code)) return;
  const buttons = document.querySelectorAll(`main [data-key="${event.code.slice(3).toLowerCase()}"]`);
  const button = buttons[buttons.length - 1]; // Of several that can be undone, the one decided last.
  if (button && !button.closest("[inert]")) button.click();
});
