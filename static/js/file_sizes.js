// A file that is too large is not sent at all: who waited for minutes on a phone would only be told so afterwards.

document.addEventListener(
  "change",
  (event) => {
    const input = event.target;
    if (!input.matches("input[data-largest]")) return;
    const field = input.closest(".field");
    field.querySelector("[data-size-error]")?.remove();
    if (![...input.files].some((file) => file.size > Number(input.dataset.largest))) return;
    const error = document.createElement("p");
    error.className = "field-error";
    error.dataset.sizeError = "";
    error.setAttribute("role", "alert");
    error.textContent = input.dataset.tooLarge;
    field.append(error);
    input.value = "";
    // HTMX would send it.
    event.stopImmediatePropagation();
  },
  { capture: true },
);
