// A phone beside the keyboard stays on. The lock ends with the page's being hidden, and needs https; some browsers give
// it only to a page that was touched.

let lock = null;

async function stayOn() {
  if (document.hidden || (lock && !lock.released)) return;
  try {
    lock = await navigator.wakeLock?.request("screen");
  } catch {
    // The battery is low, or it is not allowed: then the screen goes off as always.
  }
}

export function keepAwake() {
  document.addEventListener("visibilitychange", stayOn);
  document.addEventListener("pointerup", stayOn);
  stayOn();
}
