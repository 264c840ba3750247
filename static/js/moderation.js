// The queue's live part. The page works without it: each button is a form, each reload shows the truth.
//
// Realtime says that something changed, and the queue asks the server for itself again; while that connection is away,
// and after the machine slept, it asks by itself.

import { io } from "../vendor/socket.io.esm.min.js";

const live = document.getElementById("live");
const LOOK_MS = 5_000;
const NOTICE_MS = 6_000;

function refresh() {
  const queue = document.getElementById("queue");
  if (queue) window.htmx.trigger(queue, "refresh", {}, false);
}

// What is left of each deadline, and notices that pass.

let countedAt = performance.now();

function count() {
  const now = performance.now();
  for (const left of document.querySelectorAll("[data-seconds]")) {
    const seconds = Number(left.dataset.seconds) - (now - countedAt) / 1000;
    if (seconds <= 0) left.textContent = left.dataset.wordsLast;
    else if (seconds < 100) left.textContent = `${Math.ceil(seconds)} ${document.documentElement.lang === "ru" ? "с" : "s"}`;
  }
}

function enliven() {
  countedAt = performance.now();
  count();
  for (const notice of document.querySelectorAll("[data-passes]")) {
    if (notice.dataset.passes) continue;
    notice.dataset.passes = "soon";
    setTimeout(() => notice.remove(), NOTICE_MS);
  }
}

document.addEventListener("htmx:after:swap", enliven);
setInterval(count, 1_000);

// Live connection

async function getTicket() {
  const response = await fetch(live.dataset.ticketUrl, { headers: { Accept: "application/json" } });
  if (response.redirected) location.reload(); // Signed out: the page itself asks to sign in.
  if (!response.ok) throw new Error(`no ticket: ${response.status}`);
  return (await response.json()).ticket;
}

const socket = io(`${live.dataset.realtimeUrl}/dashboard`, {
  transports: ["websocket"],
  reconnectionDelay: 500,
  reconnectionDelayMax: 5_000,
  auth: (give) => getTicket().then((ticket) => give({ ticket }), () => give({ ticket: "" })),
});

let retry;

function connectAgain() {
  clearTimeout(retry);
  retry = setTimeout(() => socket.connect(), 2_000);
}

socket.on("connect", () => {
  clearTimeout(retry);
  refresh();
});
socket.on("changed", ({ topics }) => topics.some((topic) => topic === "alerts" || topic === "donation") && refresh());
socket.on("disconnect", (reason) => reason === "io server disconnect" && connectAgain());
// Refused rather than not reached (a ticket that grew old): Socket.IO does not try again by itself.
socket.on("connect_error", () => !socket.active && connectAgain());

setInterval(() => !document.hidden && !socket.connected && refresh(), LOOK_MS);
document.addEventListener("visibilitychange", () => {
  if (document.hidden) return;
  if (!socket.connected) socket.connect();
  refresh();
});
addEventListener("pageshow", (event) => event.persisted && refresh());

// Keys, by their place on the keyboard, so that they work in either layout.

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
  if (event.target.matches("input:not([readonly]), textarea, select")) return;
  if (!/^Key[A-Z]$/.test(event.code)) return;
  const buttons = document.querySelectorAll(`#queue [data-key="${event.code.slice(3).toLowerCase()}"]`);
  // Of several that can be undone, the one decided last.
  buttons[buttons.length - 1]?.click();
});

// A card swiped right is shown, left hidden (UX.md, "Control page" 7); the buttons do the same.

const SWIPE = 96;
let swiped;

document.addEventListener("pointerdown", (event) => {
  const card = event.pointerType === "touch" && event.target.closest("[data-hold]");
  if (card && !event.target.closest("button")) swiped = { card, x: event.clientX, y: event.clientY };
});
document.addEventListener("pointermove", (event) => {
  if (!swiped) return;
  const x = event.clientX - swiped.x;
  if (Math.abs(event.clientY - swiped.y) > 40) return endSwipe();
  swiped.card.style.transform = `translateX(${x}px)`;
  swiped.card.classList.toggle("hold-to-show", x > SWIPE);
  swiped.card.classList.toggle("hold-to-hide", x < -SWIPE);
});
document.addEventListener("pointerup", (event) => {
  if (!swiped) return;
  const { card, x } = swiped;
  const moved = event.clientX - x;
  endSwipe();
  if (Math.abs(moved) > SWIPE) card.querySelector(`[value="${moved > 0 ? "show" : "hide"}"]`)?.click();
});
document.addEventListener("pointercancel", () => swiped && endSwipe());

function endSwipe() {
  swiped.card.style.transform = "";
  swiped.card.classList.remove("hold-to-show", "hold-to-hide");
  swiped = undefined;
}

enliven();
