// Pieces of an alert. What a donor wrote is only ever text.

export function element(name, className, text = "") {
  const made = document.createElement(name);
  made.className = className;
  made.textContent = text;
  return made;
}

export function emblem(name) {
  const image = element("img", "emblem");
  image.src = new URL(`./emblems/${name}.svg`, import.meta.url).href;
  image.alt = "";
  return image;
}

// A picture of the streamer's. It holds nothing up: until it is there, and if it never comes, its place is empty.
export function picture(url, className, onMissing = () => {}) {
  const image = element("img", className);
  image.alt = "";
  image.decoding = "async";
  image.addEventListener("error", () => {
    image.remove();
    onMissing();
  });
  image.src = url;
  return image;
}

// Sizes are of the overlay's own unit, see overlay.css.
export function units(size) {
  return `calc(${size} * var(--u))`;
}

export function setStyles(node, styles) {
  for (const [name, value] of Object.entries(styles)) {
    if (value !== null && value !== undefined) node.style.setProperty(name, value);
  }
}
