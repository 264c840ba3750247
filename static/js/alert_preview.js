// Shows the frame with a still picture of a level, as a source of 1920 × 1080 made as small as the page has room, and
// keeps it as the form stands, saved or not: the server reads the form, the frame draws.

const WIDTH = 1920;
const PAUSE_MS = 250;

const still = document.querySelector(".still");
const frame = still.querySelector(".still-frame");
const form = document.querySelector("[data-preview]");
const unsaved = document.querySelector("[data-unsaved]");
let timer = 0;
let asked = new AbortController();

async function draw() {
  asked.abort();
  asked = new AbortController();
  try {
    const body = new URLSearchParams(new FormData(form));
    const response = await fetch(form.dataset.preview, { method: "POST", body, signal: asked.signal });
    // Whoever is signed out by now is told when she saves.
    if (!response.ok || response.redirected) return;
    const page = new DOMParser().parseFromString(await response.text(), "text/html").body;
    unsaved.hidden = !("unsaved" in page.dataset);
    frame.contentWindow.postMessage(page.dataset.alert, location.origin);
  } catch {
    // The next change asks again.
  }
}

const fit = () => frame.style.setProperty("transform", `scale(${still.clientWidth / WIDTH})`);
still.hidden = false;
fit();
new ResizeObserver(fit).observe(still);
form.addEventListener("input", () => {
  clearTimeout(timer);
  timer = setTimeout(draw, PAUSE_MS);
});
// By then the frame is there, and so is what the browser wrote back into the form.
addEventListener("pageshow", draw);
