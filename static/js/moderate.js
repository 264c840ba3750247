// A moderator's page: one card under the thumb, a sound for what is new, a screen that stays on, the connection in words.

import { keepAwake } from "./awake.js";
import { enableHolds, enliven, sayHere } from "./holds.js";
import { connectLive, refreshParts, showLost } from "./live.js";
import "./opened.js";
import "./presses.js";

const live = document.getElementById("live");
const OFFLINE_AFTER_SECONDS = 3;
const SETTLE_MS = 400;
const FELT_MS = 20;

// A card that comes up under a thumb takes no press for a moment: it was meant for the one before it.

const cardNow = () => document.querySelector("[data-swipes]");
let shown = cardNow()?.id;
let restsUntil = 0;
let pressedAt = -Infinity;

document.addEventListener(
  "submit",
  ({ target }) => {
    if (!target.closest("#queue")) return;
    pressedAt = performance.now();
    navigator.vibrate?.(FELT_MS);
  },
  true,
);
document.addEventListener("htmx:error", ({ detail }) => {
  if (detail.ctx?.request?.method !== "POST" || detail.ctx.sourceElement?.id === "here") return;
  const words = document.createElement("p");
  words.className = "notice notice-bad";
  words.dataset.passes = "";
  words.textContent = live.dataset.wordsFailed;
  document.getElementById("notice").replaceChildren(words);
  enliven();
});

function rest() {
  const card = cardNow();
  if (card && shown !== undefined && card.id !== shown) restsUntil = performance.now() + SETTLE_MS;
  shown = card?.id;
  const left = restsUntil - performance.now();
  if (!card || left <= 0) return;
  card.inert = true;
  setTimeout(() => {
    card.inert = false;
    // Whoever pressed a button that is gone goes on from the next card.
    const pressed = performance.now() - pressedAt < 2_000;
    if (pressed && document.activeElement === document.body) card.focus({ preventScroll: true });
  }, left);
}

// What is new: a sound, if somebody switched it on, and a phone that shakes.

const known = new Set(waiting());

function waiting() {
  return document.getElementById("queue")?.dataset.waiting.split(" ").filter(Boolean) ?? [];
}

function notice() {
  const found = waiting();
  const hasNew = found.some((id) => !known.has(id));
  for (const id of found) known.add(id);
  document.title = found.length ? `(${found.length}) ${live.dataset.wordsTitle}` : live.dataset.wordsTitle;
  if (!hasNew) return;
  navigator.vibrate?.([120, 60, 120]);
  chime();
}

const SOUND = "moderate-sound";
const button = document.getElementById("sound");
let wanted = localStorage.getItem(SOUND) === "on";
let audio;

// Browsers let a page sound only after a tap on it; one that was allowed before asks for that tap again.
function wakeSound() {
  if (!wanted) return;
  audio ??= new AudioContext();
  if (audio.state === "suspended") audio.resume().then(showSound, () => {});
  showSound();
}

function showSound() {
  const isOn = wanted && audio?.state === "running";
  const words = isOn ? "wordsOn" : wanted || localStorage.getItem(SOUND) === null ? "wordsAsk" : "wordsOff";
  button.querySelector("[data-label]").textContent = button.dataset[words];
  button.setAttribute("aria-pressed", String(isOn));
}

function chime() {
  if (!wanted || audio?.state !== "running") return;
  for (const [start, pitch] of [[0, 660], [0.16, 880]]) {
    const tone = new OscillatorNode(audio, { frequency: pitch });
    const volume = new GainNode(audio, { gain: 0 });
    const at = audio.currentTime + start;
    volume.gain.setValueAtTime(0, at);
    volume.gain.linearRampToValueAtTime(0.2, at + 0.02);
    volume.gain.exponentialRampToValueAtTime(0.001, at + 0.3);
    tone.connect(volume).connect(audio.destination);
    tone.start(at);
    tone.stop(at + 0.32);
  }
}

button.hidden = false;
button.addEventListener("click", async () => {
  wanted = !(wanted && audio?.state === "running");
  localStorage.setItem(SOUND, wanted ? "on" : "off");
  if (wanted) {
    audio ??= new AudioContext();
    await audio.resume();
    chime();
  }
  showSound();
});
document.addEventListener("pointerdown", (event) => button.contains(event.target) || wakeSound());
document.addEventListener("keydown", wakeSound);
showSound();

// Rights that changed change the page.
const rights = document.getElementById("here").dataset.rights;

document.addEventListener("htmx:after:swap", () => {
  if (document.getElementById("here").dataset.rights !== rights) location.reload();
  rest();
  notice();
});

enableHolds();
sayHere();
keepAwake();
connectLive({
  realtimeUrl: live.dataset.realtimeUrl,
  ticketUrl: live.dataset.ticketUrl,
  changed: refreshParts,
  connection: (seconds) => showLost(document.getElementById("offline"), seconds, OFFLINE_AFTER_SECONDS),
});
