// What somebody opened (a <details> with an id) stays open when its part is drawn anew.

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

// Its own `toggle` comes later than an answer may.
export function close(details) {
  if (!details) return;
  opened.delete(details.id);
  details.open = false;
}

document.addEventListener("htmx:before:swap", ({ detail }) => {
  for (const task of detail.tasks) {
    for (const id of opened) {
      const found = task.fragment.querySelector(`#${CSS.escape(id)}`);
      if (found) found.open = true;
    }
  }
});
