// Draws the alert as the overlay does by itself, in the colours and with the text and picture of its level.

import { formatAmount } from "./amounts.js";
import { element, emblem, picture, setStyles } from "./dom.js";
import { addParticles } from "./particles.js";
import { appendFilled, headline } from "./template.js";

// The message's type, in the overlay's units: smaller until it fits, and then the plate grows; never cut.
const MESSAGE_SIZES = [30, 27, 24, 21, 18, 16, 14];
// A streamer's own text is all there is to read.
const OWN_TEXT_SIZES = [44, 40, 36, 33, ...MESSAGE_SIZES];
const LINES_OF_FULL_SIZE = 4;
const MOST_OF_HEIGHT = 0.5;
const ICONS = new Set(["heart", "star", "crown", "zap"]);

export function buildPlate(alert, words) {
  const { look } = alert;
  const isGoal = alert.kind === "goal";
  const root = element("article", `alert level-${alert.level} kind-${alert.kind}`);
  if (alert.level === "ribbon" && !isGoal) root.append(element("div", "ribbon"));
  const plate = element("div", "plate");
  if (alert.level !== "quiet") plate.append(element("div", "glow"));
  const text = element("div", "text");
  const message = element("div", "message");
  let amount = null;
  if (look && look.text !== null) {
    appendFilled(message, look.text, alert, words);
    message.classList.add("own-text");
    text.append(message);
  } else {
    amount = element("div", "amount", formatAmount(alert.amount_minor, words));
    message.textContent = alert.message;
    text.append(amount, element("div", "name", headline(alert, words)));
    if (alert.message) text.append(message);
  }
  if (isGoal) text.append(bar(), amount);
  plate.append(sign(alert, isGoal), text);
  const tag = words.tags[alert.kind];
  if (tag) plate.append(element("div", "tag", tag));
  root.append(plate);
  addParticles({ root, plate }, alert);
  if (look) colour(root, look);
  return { root, plate, amount, fit: () => fitMessage(plate, message, look) };
}

// The level's picture, or else its emblem.
function sign(alert, isGoal) {
  const { look } = alert;
  const icon = look?.icon?.toLowerCase();
  const drawn = emblem(isGoal ? "goal" : ICONS.has(icon) ? icon : alert.level);
  if (!look?.image_url) return drawn;
  const frame = element("div", "picture-frame");
  frame.append(picture(look.image_url, "picture", () => frame.replaceWith(drawn)));
  return frame;
}

function colour(root, look) {
  setStyles(root, {
    "--text-colour": look.text_color,
    "--plate-colour": look.background_color,
    "--level": look.highlight_color,
    "--amount-colour": look.highlight_color,
  });
  if (look.shake) root.classList.add("shakes");
}

function fitMessage(plate, message, look) {
  if (!message.textContent) return;
  const usual = message.classList.contains("own-text") ? OWN_TEXT_SIZES : MESSAGE_SIZES;
  const wanted = look?.font_size ?? usual[0];
  const sizes = [wanted, ...usual.filter((size) => size < wanted)];
  for (const size of sizes) {
    message.style.setProperty("--size", size);
    const lines = Math.round(message.scrollHeight / parseFloat(getComputedStyle(message).lineHeight));
    const mostLines = size === usual[0] ? LINES_OF_FULL_SIZE : Infinity;
    if (lines <= mostLines && plate.offsetHeight <= innerHeight * MOST_OF_HEIGHT) return;
  }
  plate.classList.add("wide");
}

// Fills once, by overlay.css, and stays full.
function bar() {
  const track = element("div", "bar");
  track.append(element("i", "bar-fill"));
  return track;
}
