// Builds the alert. What a donor wrote is only ever text.

import { formatAmount } from "./amounts.js";

const SPARKS = 14;
const CONFETTI = 48;
const CONFETTI_COLOURS = 6;
const BURST = 40;
// The message's type, in the overlay's units: smaller until it fits, and then the plate grows; never cut.
const MESSAGE_SIZES = [30, 27, 24, 21, 18, 16, 14];
const LINES_OF_FULL_SIZE = 4;
const MOST_OF_HEIGHT = 0.5;

export function buildPlate(alert, words) {
  const root = element("article", `alert level-${alert.level} kind-${alert.kind}`);
  const isGoal = alert.kind === "goal";
  if (alert.level === "ribbon" && !isGoal) root.append(element("div", "ribbon"));
  const plate = element("div", "plate");
  if (alert.level !== "quiet") plate.append(element("div", "glow"));
  const emblem = element("img", "emblem");
  emblem.src = new URL(`./emblems/${isGoal ? "goal" : alert.level}.svg`, import.meta.url).href;
  emblem.alt = "";
  const text = element("div", "text");
  const amount = element("div", "amount", formatAmount(alert.amount_minor, words));
  const name = element("div", "name", headline(alert, words));
  text.append(amount, name);
  const message = element("div", "message", alert.message);
  if (alert.message) text.append(message);
  if (isGoal) text.append(bar(), amount);
  plate.append(emblem, text);
  const tag = words.tags[alert.kind];
  if (tag) plate.append(element("div", "tag", tag));
  if (isGoal) plate.append(particles("burst", BURST));
  else if (alert.level === "sparks" || alert.level === "ribbon") plate.append(particles("spark", SPARKS));
  // Behind the plate: nothing flies over what is to be read.
  if (alert.level === "ribbon" && !isGoal) root.append(particles("confetti", CONFETTI));
  root.append(plate);
  return { root, plate, amount, message };
}

export function fitMessage({ plate, message }) {
  if (!message.textContent) return;
  for (const size of MESSAGE_SIZES) {
    message.style.setProperty("--size", size);
    const lines = Math.round(message.scrollHeight / parseFloat(getComputedStyle(message).lineHeight));
    const mostLines = size === MESSAGE_SIZES[0] ? LINES_OF_FULL_SIZE : Infinity;
    if (lines <= mostLines && plate.offsetHeight <= innerHeight * MOST_OF_HEIGHT) return;
  }
  plate.classList.add("wide");
}

function headline(alert, words) {
  if (alert.kind === "summary") return words.donations(alert.donations);
  if (alert.kind === "goal") return words.goalReached;
  return alert.donor_name ?? words.anonymous;
}

// Fills once, by overlay.css, and stays full.
function bar() {
  const track = element("div", "bar");
  track.append(element("i", "bar-fill"));
  return track;
}

// One-shot pieces; where each flies is drawn here, how it flies stands in overlay.css.
function particles(kind, count) {
  const box = element("div", `${kind}s`);
  for (let number = 0; number < count; number += 1) {
    const piece = element("i", kind);
    piece.style.setProperty("--x", Math.random().toFixed(3));
    piece.style.setProperty("--y", Math.random().toFixed(3));
    piece.style.setProperty("--turn", (Math.random() * 2 - 1).toFixed(3));
    piece.style.setProperty("--wait", Math.random().toFixed(3));
    piece.classList.add(`colour-${number % CONFETTI_COLOURS}`);
    box.append(piece);
  }
  return box;
}

function element(name, className, text = "") {
  const made = document.createElement(name);
  made.className = className;
  made.textContent = text;
  return made;
}
