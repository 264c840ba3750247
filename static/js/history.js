// The list of donations: `/` goes to the search, an open menu of a row closes by Escape or a press elsewhere, and the
// export follows the filters that were applied without a reload.

const search = document.querySelector("#q");
const exporting = document.querySelector("#export");

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") closeMenus(null, true);
  if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey) return;
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

// The address has become that of the list shown: the file is of the same selection.
exporting.addEventListener("submit", () => {
  const action = new URL(exporting.action);
  const query = new URLSearchParams(location.search);
  for (const name of ["before", "after", "said", "sums"]) query.delete(name);
  action.search = query.toString();
  exporting.action = action;
});
