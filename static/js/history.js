// The list of donations: `/` goes to the search, an open menu of a row closes by Escape or a press elsewhere.

const search = document.querySelector("#q");
const exporting = document.querySelector("#export");

// As by the same key from the live page.
if (location.hash === "#q") search.focus();

// Searched while it was typed; leaving the field would load the same once more, and close the menu that was pressed.
search.addEventListener("change", (event) => event.stopPropagation());

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") closeMenus(null, true);
  // By its place too: another layout has another sign there.
  const isSlash = event.key === "/" || (event.code === "Slash" && !event.shiftKey);
  if (!isSlash || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.closest("input, textarea, select, [contenteditable]")) return;
  event.preventDefault();
  search.focus();
  search.select();
});

document.addEventListener("click", (event) => closeMenus(event.target.closest(".row-menu")));

function closeMenus(except, gaveUp = false) {
  for (const menu of document.querySelectorAll(".row-menu[open]")) {
    if (menu === except) continue;
    if (gaveUp && menu.contains(document.activeElement)) menu.querySelector("summary").focus();
    menu.open = false;
  }
}

// What was found as one typed has an address, without the form's empty fields: it is kept, reloaded, sent to a friend, and
// the file is of the same selection.
let shown = document.querySelector("#results").dataset.address;
document.addEventListener("htmx:after:swap", () => {
  const results = document.querySelector("#results");
  if (!results || results.dataset.address === shown) return;
  shown = results.dataset.address;
  const address = new URL(results.dataset.address, location.href);
  history.replaceState(history.state, "", address);
  exporting.action = exporting.action.split("?")[0] + address.search;
});
