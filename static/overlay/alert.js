// An alert as the server tells it, drawn: by its level's layout, by the overlay itself, or not at all.

import { element } from "./dom.js";
import { buildLayout } from "./layout.js";
import { buildPlate } from "./plate.js";

// Returns the node to show, the node whose sum counts up (or null), and `fit`, to be called once it is in the page.
export function buildAlert(alert, words) {
  const { look = null } = alert;
  const shown = { ...alert, look };
  if (look && !look.visible) {
    // Only heard.
    return { root: element("article", "alert unseen"), amount: null, fit() {} };
  }
  return look?.elements ? buildLayout(shown, words) : buildPlate(shown, words);
}
