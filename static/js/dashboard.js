// The dashboard's live part. The page works without it: each button is a form, each reload shows the truth.
//
// Realtime says only what kind of thing changed; the parts that show it ask the server for themselves again.
// While that connection is away, and after the machine slept, the page asks by itself.

import { enableCopying, showCopyButtons } from "./copying.js";
import { askOnAir } from "./on_air.js";
import { io } from "../vendor/socket.io.esm.min.js";

const board = document.getElementById("board");
const LOOK_MS = 10_000;
const NOTICE_MS = 6_000;

// Parts

function refresh(topics) {
  for (const part of document.querySelectorAll("[data-topics]")) {
    if (!topics || part.dataset.topics.split(" ").some((topic) => topics.includes(topic))) {
      window.htmx.trigger(part, "refresh", {}, false);
    }
  }
}

function enliven() {
  showCopyButtons();
  for (const bar of document.querySelectorAll("[data-progress]")) runProgress(bar);
  for (const notice of document.querySelectorAll("[data-passes]")) {
    if (notice.dataset.passes) continue;
    notice.dataset.passes = "soon";
    setTimeout(() => notice.remove(), NOTICE_MS);
  }
  if (details.size) for (const id of details) document.getElementById(id)?.setAttribute("open", "");
}

function runProgress(bar) {
  const line = bar.firstElementChild;
  for (const animation of line.getAnimations()) animation.cancel();
  if ("offered" in bar.dataset) return;
  const duration = Number(bar.dataset.durationMs);
  const frames = [{ transform: "scaleX(0)" }, { transform: "scaleX(1)" }];
  const animation = line.animate(frames, { duration, fill: "forwards" });
  animation.currentTime = Math.min(Number(bar.dataset.elapsedMs), duration);
}

// What somebody opened stays open when its part is drawn anew.
const details = new Set();
document.addEventListener(
  "toggle",
  (event) => {
    if (!event.target.id || event.target.tagName !== "DETAILS" || !event.target.isConnected) return;
    if (event.target.open) details.add(event.target.id);
    else details.delete(event.target.id);
  },
  true,
);

document.addEventListener("htmx:before:swap", ({ detail }) => {
  for (const task of detail.tasks) {
    for (const id of details) {
      const found = task.fragment.querySelector(`#${CSS.escape(id)}`);
      if (found) found.open = true;
    }
  }
});
document.addEventListener("htmx:after:swap", () => {
  showNews();
  enliven();
});
// A part that waited its turn asks for what it has become meanwhile (its address shown, its feed longer).
document.addEventListener("htmx:before:request", ({ target, detail }) => {
  if (target.dataset?.topics && target.hasAttribute("hx-get")) detail.ctx.request.action = target.getAttribute("hx-get");
});
// What a button did may show in other parts too, whether or not realtime is there to say so.
document.addEventListener("htmx:finally:request", ({ detail }) => {
  if (detail.ctx.request.method === "POST") refresh();
});

// New rows of the feed

const news = document.getElementById("news");
let known = new Set(rowIds());
let unread = 0;

function rowIds() {
  return [...document.querySelectorAll(".feed-rows > li")].map((row) => row.id);
}

// New is what was not there before, unless it stands below all that was: that is the past, asked for.
function showNews() {
  const rows = rowIds();
  const oldest = rows.findLastIndex((id) => known.has(id));
  const fresh = rows.filter((id, place) => !known.has(id) && (oldest < 0 || place < oldest));
  known = new Set(rows);
  if (!fresh.length) return;
  if (hasScrolledPast()) {
    unread += fresh.length;
    news.textContent = board.dataset.wordsNew.replace("{}", unread);
    news.hidden = false;
  } else {
    for (const id of fresh) document.getElementById(id).classList.add("is-new");
  }
}

function hasScrolledPast() {
  return document.getElementById("feed").getBoundingClientRect().top < -80;
}

function readNews() {
  unread = 0;
  news.hidden = true;
}

news.addEventListener("click", () => {
  readNews();
  document.getElementById("feed").scrollIntoView();
});
addEventListener("scroll", () => !news.hidden && !hasScrolledPast() && readNews(), { passive: true });

// A row that is held shows what can be done with it.

const HOLD_MS = 500;
let holding;

document.addEventListener("pointerdown", ({ target, pointerType }) => {
  const row = target.closest?.(".row");
  for (const held of document.querySelectorAll(".row.is-held")) if (held !== row) held.classList.remove("is-held");
  if (!row || pointerType === "mouse") return;
  holding = setTimeout(() => row.classList.add("is-held"), HOLD_MS);
});
for (const event of ["pointerup", "pointercancel", "pointermove"]) {
  document.addEventListener(event, ({ movementX = 0, movementY = 0 }) => {
    if (event !== "pointermove" || Math.hypot(movementX, movementY) > 3) clearTimeout(holding);
  });
}

// Live connection

async function getTicket() {
  const response = await fetch(board.dataset.ticketUrl, { headers: { Accept: "application/json" } });
  if (response.redirected) location.reload(); // Signed out: the page itself asks to sign in.
  if (!response.ok) throw new Error(`no ticket: ${response.status}`);
  return (await response.json()).ticket;
}

const socket = io(`${board.dataset.realtimeUrl}/dashboard`, {
  transports: ["websocket"],
  reconnectionDelay: 500,
  reconnectionDelayMax: 5_000,
  auth: (give) => getTicket().then((ticket) => give({ ticket }), () => give({ ticket: "" })),
});

let lostAt = performance.now();
let retry;

socket.on("connect", () => {
  lostAt = undefined;
  clearTimeout(retry);
  showConnection();
  refresh();
});
socket.on("changed", ({ topics }) => {
  refresh(topics);
  // A stream that begins is told as a change of overlays, a press elsewhere as one of controls.
  if (topics.some((topic) => topic === "overlays" || topic === "controls")) askOnAir();
});
document.addEventListener("on-air", () => refresh());
socket.on("disconnect", (reason) => {
  lostAt = performance.now();
  if (reason === "io server disconnect") connectAgain();
});
// Refused rather than not reached (a ticket that grew old): Socket.IO does not try again by itself.
socket.on("connect_error", () => !socket.active && connectAgain());

// Never twice at once: see live.js.
const connect = () => socket.active || socket.connect();

function connectAgain() {
  clearTimeout(retry);
  retry = setTimeout(connect, 2_000);
}

function showConnection() {
  const offline = document.getElementById("offline");
  const seconds = lostAt === undefined ? 0 : Math.floor((performance.now() - lostAt) / 1000);
  offline.hidden = seconds < 5;
  if (!offline.hidden) offline.textContent = board.dataset.wordsOffline.replace("{}", seconds);
}

setInterval(showConnection, 1_000);
setInterval(() => lostAt !== undefined && !document.hidden && refresh(), LOOK_MS);
document.addEventListener("visibilitychange", () => {
  if (document.hidden) return;
  connect();
  refresh();
});
addEventListener("pageshow", (event) => event.persisted && refresh());

// Notices

function tell(words) {
  const notice = document.createElement("p");
  notice.className = "notice notice-said";
  notice.dataset.passes = "";
  notice.textContent = words;
  document.getElementById("notice").replaceChildren(notice);
  enliven();
}

// Keys, by their place on the keyboard, so that they work in either layout.

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
  if (event.target.matches("input:not([readonly]), textarea, select")) return;
  if (event.key === "?" || (event.code === "Slash" && event.shiftKey)) document.getElementById("keys").showModal();
  else if (/^Key[A-Z]$/.test(event.code)) {
    document.querySelector(`[data-key="${event.code.slice(3).toLowerCase()}"]`)?.click();
  }
});

enableCopying(tell);
enliven();
