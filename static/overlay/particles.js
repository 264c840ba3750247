// One-shot pieces that fly; where each flies is drawn here, how it flies stands in overlay.css.

import { element, emblem } from "./dom.js";

const SPARKS = 14;
const CONFETTI = 48;
const COLOURS = 6;
const BURST = 40;
const HEARTS = 16;
const ROCKETS = 5;
const SPARKS_OF_ROCKET = 14;
// What a step of the overlay's own drawing lets fly.
const OWN = { sparks: "sparkles", ribbon: "confetti" };

// Puts them into the alert: `root` is all of the source, `plate` what is read (of a layout there is none).
export function addParticles({ root, plate }, alert) {
  if (alert.kind === "goal") {
    plate.append(scattered("burst", BURST));
    return;
  }
  const isOwn = alert.look === null || alert.look.animation === OWN[alert.level];
  const kind = isOwn ? OWN[alert.level] : alert.look.animation;
  // Behind what is to be read: nothing flies over it.
  const addBehind = (box) => (plate ? plate.before(box) : root.prepend(box));
  if (kind === "confetti") addBehind(scattered("confetti", CONFETTI));
  if (kind === "hearts") addBehind(hearts());
  if (kind === "fireworks") addBehind(fireworks());
  const sparkles = kind === "sparkles" || (isOwn && alert.level === "ribbon");
  if (!sparkles) return;
  if (plate) {
    plate.append(scattered("spark", SPARKS));
    return;
  }
  const box = scattered("spark", SPARKS * 2);
  box.classList.add("everywhere");
  addBehind(box);
}

function hearts() {
  const box = element("div", "hearts");
  for (let number = 0; number < HEARTS; number += 1) {
    const heart = emblem("heart");
    heart.className = "heart";
    scatter(heart);
    box.append(heart);
  }
  return box;
}

function fireworks() {
  const box = element("div", "fireworks");
  for (let number = 0; number < ROCKETS; number += 1) {
    const rocket = element("div", `rocket colour-${number % COLOURS}`);
    scatter(rocket);
    for (let spark = 0; spark < SPARKS_OF_ROCKET; spark += 1) {
      const piece = element("i", "rocket-spark");
      piece.style.setProperty("--angle", `${(spark * 360) / SPARKS_OF_ROCKET}deg`);
      rocket.append(piece);
    }
    box.append(rocket);
  }
  return box;
}

function scattered(kind, count) {
  const box = element("div", `${kind}s`);
  for (let number = 0; number < count; number += 1) {
    const piece = element("i", `${kind} colour-${number % COLOURS}`);
    scatter(piece);
    box.append(piece);
  }
  return box;
}

function scatter(piece) {
  piece.style.setProperty("--x", Math.random().toFixed(3));
  piece.style.setProperty("--y", Math.random().toFixed(3));
  piece.style.setProperty("--turn", (Math.random() * 2 - 1).toFixed(3));
  piece.style.setProperty("--wait", Math.random().toFixed(3));
}
