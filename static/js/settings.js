// Finds a setting as one types: every word has to be in its name, its help or how it is set. Without script all are there.

const search = document.querySelector("#settings-search");
const field = search.querySelector("input");
const none = document.querySelector("#settings-none");
const groups = [...document.querySelectorAll("[data-group]")].map((group) => ({
  element: group,
  title: group.querySelector("h2").textContent,
  items: [...group.querySelectorAll("[data-item]")],
}));

search.hidden = false;

function folded(text) {
  return text.toLowerCase().replaceAll("ё", "е");
}

function find() {
  const words = folded(field.value).split(/\s+/).filter(Boolean);
  let found = 0;
  for (const { element, title, items } of groups) {
    let here = 0;
    for (const item of items) {
      const text = folded(`${title} ${item.textContent}`);
      item.hidden = !words.every((word) => text.includes(word));
      here += item.hidden ? 0 : 1;
    }
    element.hidden = here === 0;
    found += here;
  }
  none.textContent = found ? "" : none.dataset.words;
}

field.addEventListener("input", find);
field.addEventListener("keydown", (event) => {
  if (event.key === "Enter") document.querySelector("[data-item]:not([hidden]) a")?.click();
  if (event.key === "Escape") {
    field.value = "";
    find();
  }
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.closest("input, textarea, select")) return;
  event.preventDefault();
  field.focus();
});
// A browser that comes back to the page keeps what was typed.
find();
