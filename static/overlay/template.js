// A streamer's own text of an alert. What stands in a donor's words is text, and no placeholder.

import { formatNumber } from "./amounts.js";

const PLACEHOLDERS = /\{(donor_name|amount|message)\}/;

export function headline(alert, words) {
  if (alert.kind === "summary") return words.donations(alert.donations);
  if (alert.kind === "goal") return words.goalReached;
  if (alert.kind === "custom") return alert.donor_name ?? "";
  return alert.donor_name ?? words.anonymous;
}

// Appends the filled template: each placeholder becomes a <span> with what it stands for.
export function appendFilled(parent, template, alert, words) {
  const values = {
    donor_name: headline(alert, words),
    amount: formatNumber(alert.amount_minor, words),
    message: alert.message,
  };
  template.split(PLACEHOLDERS).forEach((part, place) => {
    // Every second part is the name of a placeholder.
    if (place % 2 === 0) {
      // The sign of roubles stays with its amount.
      parent.append(part.replace(/^ (?=₽)/, "\u00a0"));
      return;
    }
    const span = document.createElement("span");
    span.className = `is-${part.replace("_", "-")}`;
    span.textContent = values[part];
    parent.append(span);
  });
}
