// Cards that wait for a decision, on the streamer's page and on a moderator's: deadlines counted down, keys, swipes, who
// looks. Without script each button is a form and each reload shows the truth.

const NOTICE_MS = 6_000;
const BEAT_MS = 10_000;
const SWIPE = 96;
const DRIFT = 40;

export function enableHolds() {
  document.addEventListener("htmx:after:swap", enliven);
  setInterval(count, 1_000);
  enliven();
}

// Parts whose topics changed are asked for anew; all of them without topics. A tab in the background looks at nothing,
// so it does not say that somebody is here.
export function refreshParts(topics) {
  for (const part of document.querySelectorAll("[data-topics]")) {
    if (part.id === "here" && document.hidden) continue;
    if (!topics || part.dataset.topics.split(" ").some((topic) => topics.includes(topic))) {
      window.htmx.trigger(part, "refresh", {}, false);
    }
  }
}

// Whoever looks says so every few seconds.
export function sayHere() {
  const say = () => !document.hidden && window.htmx.trigger(document.getElementById("here"), "refresh", {}, false);
  setInterval(say, BEAT_MS);
}

// What is left of each deadline, and notices that pass.

let countedAt;

function count() {
  const now = performance.now();
  for (const left of document.querySelectorAll("[data-seconds]")) {
    const seconds = Number(left.dataset.seconds) - (now - countedAt) / 1000;
    if (seconds <= 0) left.textContent = left.dataset.wordsLast;
    else if (seconds < 100) left.textContent = `${Math.ceil(seconds)} ${document.documentElement.lang === "ru" ? "с" : "s"}`;
  }
}

export function enliven() {
  countedAt = performance.now();
  count();
  for (const notice of document.querySelectorAll("[data-passes]")) {
    if (notice.dataset.passes) continue;
    notice.dataset.passes = "soon";
    setTimeout(() => notice.remove(), NOTICE_MS);
  }
}

// Keys, by their place on the keyboard, so that they work in either layout.

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
  if (event.target.matches("input:not([readonly]), textarea, select")) return;
  if (!/^Key[A-Z]$/.test(event.code)) return;
  const buttons = document.querySelectorAll(`main [data-key="${event.code.slice(3).toLowerCase()}"]`);
  const button = buttons[buttons.length - 1]; // Of several that can be undone, the one decided last.
  if (button && !button.closest("[inert]")) button.click();
});

// A card swiped right is shown, left hidden (UX.md, "Control page" 7); the buttons do the same. The browser keeps what
// goes up and down for scrolling, and then ends the swipe.

let swiped;

document.addEventListener("pointerdown", (event) => {
  const card = event.pointerType === "touch" && event.isPrimary && event.target.closest("[data-card]");
  if (card && !event.target.closest("button, summary, a")) swiped = { card, id: card.id, x: event.clientX, y: event.clientY };
});
document.addEventListener("pointermove", (event) => {
  if (!swiped) return;
  const x = event.clientX - swiped.x;
  if (Math.abs(event.clientY - swiped.y) > DRIFT) return endSwipe();
  swiped.card.style.transform = `translateX(${x}px)`;
  swiped.card.classList.toggle("hold-to-show", x > SWIPE);
  swiped.card.classList.toggle("hold-to-hide", x < -SWIPE);
});
document.addEventListener("pointerup", (event) => {
  if (!swiped) return;
  const { card, id, x } = swiped;
  const moved = event.clientX - x;
  endSwipe();
  // Not if another card took its place under the finger.
  if (Math.abs(moved) <= SWIPE || card.id !== id || !card.isConnected) return;
  card.querySelector(`[value="${moved > 0 ? "show" : "hide"}"]`)?.click();
});
document.addEventListener("pointercancel", () => swiped && endSwipe());

function endSwipe() {
  swiped.card.style.transform = "";
  swiped.card.classList.remove("hold-to-show", "hold-to-hide");
  swiped = undefined;
}
