// Twenty megabytes take a while: the button says that it is under way, and is not pressed twice.

for (const form of document.querySelectorAll("[data-upload]")) {
  const button = form.querySelector("button");
  const label = form.querySelector("[data-label]");
  const rest = label.textContent;
  form.addEventListener("submit", (event) => {
    if (form.dataset.sent) event.preventDefault();
    form.dataset.sent = "yes";
    button.setAttribute("aria-disabled", "true");
    label.textContent = label.dataset.busy;
  });
  // Back by the browser's own button: the page is as it was left.
  window.addEventListener("pageshow", () => {
    delete form.dataset.sent;
    button.removeAttribute("aria-disabled");
    label.textContent = rest;
  });
}
