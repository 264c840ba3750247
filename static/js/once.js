// A form pressed twice is sent once: while the first answer is on its way, a second press would make a second key or goal.
// What HTMX or another script sends is theirs to mind. Without script the server does what it is asked.

// After so long somebody may try again: the page may have been stopped, or the answer be a file that leaves it as it is.
const AGAIN_MS = 10_000;

const sent = new Map();

addEventListener("submit", (event) => {
  const form = event.target;
  if (event.defaultPrevented || form.method !== "post") return;
  if (performance.now() - (sent.get(form) ?? -Infinity) < AGAIN_MS) {
    event.preventDefault();
    return;
  }
  sent.set(form, performance.now());
});
// Back from where it led, the page may be the very one that was left.
addEventListener("pageshow", () => sent.clear());
