// The page about receiving money: copying an address. Everything else is plain forms, made smooth by HTMX.

import { enableCopying, showCopyButtons } from "./copying.js";

function tell(words) {
  const notice = document.createElement("p");
  notice.className = "notice notice-warn";
  notice.textContent = words;
  document.getElementById("notice").replaceChildren(notice);
}

enableCopying(tell);
showCopyButtons();
document.addEventListener("htmx:after:swap", showCopyButtons);
