// The on-air mode without reloading: a stream that begins, or a press anywhere, hides at once what must not be seen.
//
// The server leaves it out of what it sends by then; what this page has already is taken out here. Sent as a document
// event too, `on-air`, for pages that can ask for their parts again.

const ASK_MS = 5_000;
const DOTS = "••••";

const news = new BroadcastChannel("on-air");
let touched = false;

function root() {
  return document.getElementById("on-air");
}

function isOn() {
  return root().dataset.on === "yes";
}

function hide() {
  for (const element of document.querySelectorAll(".private")) {
    if (element.textContent !== DOTS) element.textContent = DOTS;
  }
  for (const element of document.querySelectorAll("[data-private]")) element.remove();
}

function take(html) {
  const template = document.createElement("template");
  template.innerHTML = html;
  const fresh = template.content.querySelector("#on-air");
  if (!fresh) return;
  const wasOn = isOn();
  if (fresh.dataset.on === root().dataset.on) return;
  root().replaceWith(fresh);
  if (isOn()) hide();
  document.dispatchEvent(new Event("on-air"));
  news.postMessage("changed");
  // What was taken out has to come from the server; nothing that was typed is lost for it.
  if (wasOn && !touched && document.querySelector(".private:not([data-topics] *)")) location.reload();
}

export async function askOnAir() {
  try {
    const response = await fetch(root().dataset.ask, { headers: { "HX-Request": "true" } });
    if (response.ok && !response.redirected) take(await response.text());
  } catch {
    // Asked again soon.
  }
}

document.addEventListener("submit", async (event) => {
  if (!event.target.matches("[data-on-air-form]")) return;
  event.preventDefault();
  const form = event.target;
  try {
    const body = new URLSearchParams(new FormData(form));
    const response = await fetch(form.action, { method: "POST", body, headers: { "HX-Request": "true" } });
    if (!response.ok) throw new Error(`not switched: ${response.status}`);
    take(await response.text());
    root().querySelector("button").focus();
  } catch {
    form.submit();
  }
});

// An answer that was on its way when the mode was turned on.
document.addEventListener("htmx:after:swap", () => isOn() && hide());
document.addEventListener("input", () => (touched = true));
document.addEventListener("visibilitychange", () => !document.hidden && askOnAir());
addEventListener("pageshow", (event) => event.persisted && askOnAir());
news.addEventListener("message", askOnAir);
setInterval(() => document.hidden || askOnAir(), ASK_MS);
