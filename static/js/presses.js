// What pages with controls do about a press before the server answers: say that it is on its way, make it felt, and let
// what cannot be pressed by chance be held for a second. Without script all of it are plain forms.

import { close } from "./opened.js";

const HOLD_MS = 1_000;
const FELT_MS = 20;
const NOTE_MS = 6_000;

document.documentElement.classList.add("has-script");

// Sent

document.addEventListener(
  "submit",
  ({ target }) => {
    const line = target.closest("[data-topics]")?.querySelector("[data-press]");
    if (target.method !== "post" || !line) return;
    navigator.vibrate?.(FELT_MS);
    note = null;
    say(line, "sent", line.dataset.wordsSent);
    close(target.closest("details[data-closes]"));
  },
  true,
);

document.addEventListener("htmx:error", ({ detail }) => {
  const line = document.querySelector("[data-press]");
  if (!line || detail.ctx?.request?.method !== "POST") return;
  const row = detail.ctx.sourceElement?.closest(".row");
  say(row ? lineOf(row) : line, "failed", line.dataset.wordsFailed);
});

function say(line, state, words) {
  line.textContent = words;
  line.className = `press press-${state === "sent" ? "sent" : "away"}`;
}

// A row of the feed is far from the one line for all presses. The next drawing of the feed takes this one away.
function lineOf(row) {
  const words = row.querySelector(".row-words");
  return words.querySelector(".press") ?? words.appendChild(document.createElement("p"));
}

// What a press came to nothing for ("Already skipped by @vera") stands only in its own answer: the next drawing of the part,
// a moment later, knows nothing of it.

let note = null;

function keepNote() {
  const line = document.querySelector("[data-press]");
  if (!line) return;
  if (line.classList.contains("press-note")) {
    note ??= { text: line.textContent, until: performance.now() + NOTE_MS };
  } else if (note && performance.now() < note.until) {
    line.textContent = note.text;
    line.className = "press press-note";
  } else {
    note = null;
  }
}

// Again: a part that will look different in a moment, though nothing changes, says when.

const timers = new Map();

function settle() {
  for (const part of document.querySelectorAll("[data-topics]")) {
    clearTimeout(timers.get(part.id));
    if (!part.dataset.againMs) continue;
    const ask = () => window.htmx.trigger(document.getElementById(part.id), "refresh", {}, false);
    timers.set(part.id, setTimeout(ask, Number(part.dataset.againMs)));
  }
  for (const number of document.querySelectorAll("[data-counts-down]")) {
    number.dataset.endsAt = performance.now() + Number(number.dataset.countsDown);
    number.removeAttribute("data-counts-down");
  }
}

setInterval(() => {
  for (const number of document.querySelectorAll("[data-ends-at]")) {
    number.textContent = Math.max(Math.ceil((number.dataset.endsAt - performance.now()) / 1000), 0);
  }
}, 250);

document.addEventListener("htmx:after:swap", () => {
  keepNote();
  settle();
});
if (document.readyState === "complete") settle();
else addEventListener("load", settle);

// Held

let held = null;
// What appears under a finger that is still down (the way back!) is not pressed by its being lifted.
let isDone = false;
// A keyboard's click comes after its keys; one without them is that of an assistive technology, which cannot hold.
let byKeys = false;

function hold(button) {
  letGo();
  const line = button.querySelector(".holds-line");
  held = line.animate([{ transform: "scaleX(0)" }, { transform: "scaleX(1)" }], { duration: HOLD_MS, fill: "forwards" });
  held.onfinish = () => {
    letGo();
    isDone = true;
    if (button.isConnected && !button.disabled) button.form.requestSubmit(button);
  };
}

function letGo() {
  held?.cancel();
  held = null;
}

document.addEventListener("pointerdown", () => (isDone = false), true);
document.addEventListener(
  "click",
  (event) => {
    if (!isDone || event.detail === 0) return;
    event.preventDefault();
    event.stopPropagation();
  },
  true,
);

const holds = (event) => event.target.closest?.("[data-hold]");

document.addEventListener("pointerdown", (event) => event.button === 0 && holds(event) && hold(holds(event)));
for (const name of ["pointerup", "pointercancel", "blur"]) addEventListener(name, letGo);
// A finger keeps its target wherever it slides, so the place tells whether it is still on the button.
document.addEventListener("pointermove", (event) => {
  if (!held) return;
  const { left, right, top, bottom } = held.effect.target.parentElement.getBoundingClientRect();
  const { clientX: x, clientY: y } = event;
  if (x < left || x > right || y < top || y > bottom) letGo();
});
document.addEventListener("keydown", (event) => {
  if (!holds(event) || !["Enter", " "].includes(event.key)) return;
  event.preventDefault();
  byKeys = true;
  if (!event.repeat) hold(holds(event));
});
document.addEventListener("keyup", (event) => {
  if (!holds(event)) return;
  event.preventDefault();
  letGo();
  setTimeout(() => (byKeys = false));
});
document.addEventListener("click", (event) => {
  if (holds(event) && (event.detail > 0 || byKeys)) event.preventDefault();
});
document.addEventListener("contextmenu", (event) => holds(event) && event.preventDefault());
