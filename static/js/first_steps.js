// First steps: copying the overlay's address, and clocks guessed from the device. Everything else is plain forms.

import { enableCopying, showCopyButtons } from "./copying.js";

function tell(words) {
  const notice = document.createElement("p");
  notice.className = "notice notice-warn";
  notice.textContent = words;
  document.getElementById("notice").replaceChildren(notice);
}

// Only where nothing was chosen yet: a form that came back keeps what was sent.
function guessClocks() {
  const select = document.getElementById("time_zone");
  if (!select || document.querySelector("[aria-invalid]")) return;
  const here = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if ([...select.options].some((option) => option.value === here)) select.value = here;
}

enableCopying(tell);
showCopyButtons();
guessClocks();
document.addEventListener("htmx:after:swap", showCopyButtons);
