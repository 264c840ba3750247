// Keys of a page of the desk, by their place on the keyboard, so that they work in either layout. What a key presses has
// `data-key`; the list of them is the dialog #keys, opened by `?` and by #open-keys where the page has it.

const TYPED_INTO = "input:not([readonly], [type=checkbox], [type=radio]), textarea, select, [contenteditable]";

const list = document.getElementById("keys");

function keyOf(event) {
  if (/^Key[A-Z]$/.test(event.code)) return event.shiftKey ? "" : event.code.slice(3).toLowerCase();
  // A keyboard whose signs stand elsewhere is believed, too.
  if (event.key === "?" || event.key === "/") return event.key;
  if (event.code === "Slash") return event.shiftKey ? "?" : "/";
  return "";
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
  if (event.target.closest(TYPED_INTO) || document.querySelector("dialog[open]")) return;
  const key = keyOf(event);
  if (key === "?") {
    list.showModal();
  } else {
    const pressed = key && document.querySelector(`[data-key="${key}"]`);
    if (!pressed) return;
    pressed.click();
  }
  // The sign does not go into a field that gets the focus, nor into the browser's own search.
  event.preventDefault();
});

const opener = document.getElementById("open-keys");
if (opener) {
  opener.hidden = false;
  opener.addEventListener("click", () => list.showModal());
}
