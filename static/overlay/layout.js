// Draws an alert by its level's layout: texts, pictures and fields at places of their own. docs/realtime.md says what
// each field of an element means.

import { element, picture, setStyles, units } from "./dom.js";
import { addParticles } from "./particles.js";
import { appendFilled } from "./template.js";

const TEXT_SIZE = 24;
const TEXT_PADDING = 8;
const IMAGE_SIZE = 120;
const LEAST_TEXT_SIZE = 12;
const STEP = 0.92;
const MOST_OF_HEIGHT = 0.6;

export function buildLayout(alert, words) {
  const { look } = alert;
  const root = element("article", `alert layout level-${alert.level} kind-${alert.kind}`);
  const texts = [];
  for (const part of look.elements) {
    const made = build(part, alert, words);
    if (!made) continue;
    place(made, part);
    root.append(made);
    if (part.type === "text") texts.push([made, part]);
  }
  const tag = words.tags[alert.kind];
  if (tag) root.append(element("div", "tag", tag));
  addParticles({ root, plate: null }, alert);
  setStyles(root, { "--level": look.highlight_color });
  if (look.shake) root.classList.add("shakes");
  return { root, amount: null, fit: () => texts.forEach(([made, part]) => fitText(made, part)) };
}

function build(part, alert, words) {
  if (part.type === "text") {
    const made = element("div", "element element-text");
    // One piece of running text: the box's children would stand side by side.
    const inner = element("div", "element-words");
    appendFilled(inner, part.content ?? "", alert, words);
    made.append(inner);
    return inner.textContent.trim() ? made : null;
  }
  if (part.type === "image") return part.image_url ? picture(part.image_url, "element element-image") : null;
  const field = element("div", "element element-background");
  if (part.image_url) field.append(picture(part.image_url, "element-fill"));
  return field;
}

function place(made, part) {
  const isText = part.type === "text";
  const size = part.type === "image" ? IMAGE_SIZE : null;
  const width = part.width ?? size;
  const height = part.height ?? size;
  setStyles(made, {
    left: `${part.x}%`,
    top: `${part.y}%`,
    width: width === null ? null : units(width),
    height: height === null ? null : units(height),
    "z-index": part.z_index,
    color: isText ? part.color : null,
    "background-color": part.background_color,
    "border-radius": part.border_radius === null ? null : units(part.border_radius),
    padding: units(part.padding ?? (isText ? TEXT_PADDING : 0)),
    "--size": isText ? (part.font_size ?? TEXT_SIZE) : null,
  });
}

// Smaller until it fits its box, or a good part of the source; and never over the edge, where nobody could read it.
function fitText(made, part) {
  const inner = made.firstElementChild;
  const padding = 2 * parseFloat(getComputedStyle(made).paddingTop);
  let size = part.font_size ?? TEXT_SIZE;
  const isTooLarge = () =>
    inner.offsetHeight + padding > made.clientHeight + 1 ||
    inner.scrollWidth > inner.clientWidth + 1 ||
    made.offsetHeight > innerHeight * MOST_OF_HEIGHT;
  while (isTooLarge() && size > LEAST_TEXT_SIZE) {
    size = Math.max(size * STEP, LEAST_TEXT_SIZE);
    made.style.setProperty("--size", size.toFixed(1));
  }
  const { offsetLeft, offsetTop, offsetWidth, offsetHeight } = made;
  const middle = (at, length, whole) => Math.min(Math.max(at, length / 2), Math.max(whole - length / 2, length / 2));
  made.style.setProperty("left", `${middle(offsetLeft, offsetWidth, innerWidth)}px`);
  made.style.setProperty("top", `${middle(offsetTop, offsetHeight, innerHeight)}px`);
}
