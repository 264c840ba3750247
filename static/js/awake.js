// A phone beside the keyboard stays on. The lock ends with the page's being hidden, and needs https.

async function stayOn() {
  try {
    if (!document.hidden) await navigator.wakeLock?.request("screen");
  } catch {
    // The battery is low, or it is not allowed: then the screen goes off as always.
  }
}

export function keepAwake() {
  document.addEventListener("visibilitychange", stayOn);
  stayOn();
}
