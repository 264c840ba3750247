// Copies a button's address without showing it.

import { enableCopying, showCopyButtons } from "./copying.js";

enableCopying((words) => {
  const notice = document.createElement("p");
  notice.className = "notice notice-said";
  notice.textContent = words;
  document.getElementById("notice").replaceChildren(notice);
});
showCopyButtons();
