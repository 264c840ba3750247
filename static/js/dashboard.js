// The dashboard's live part. The page works without it: each button is a form, each reload shows the truth.
//
// Each part that shows what changed asks the server for itself again (live.js).

import { enableCopying, showCopyButtons } from "./copying.js";
import "./keys.js";
import { connectLive, refreshParts, showLost } from "./live.js";
import { askOnAir } from "./on_air.js";
import "./opened.js";
import { runProgress } from "./progress.js";

const board = document.getElementById("board");
const OFFLINE_AFTER_SECONDS = 5;
const NOTICE_MS = 6_000;

// Parts

function enliven() {
  showCopyButtons();
  for (const bar of document.querySelectorAll("[data-progress]")) runProgress(bar);
  for (const notice of document.querySelectorAll("[data-passes]")) {
    if (notice.dataset.passes) continue;
    notice.dataset.passes = "soon";
    setTimeout(() => notice.remove(), NOTICE_MS);
  }
}

document.addEventListener("htmx:after:swap", () => {
  holdRow(heldRow);
  keepPlace();
  showNews();
  enliven();
});
// A part that waited its turn asks for what it has become meanwhile (its address shown, its feed longer).
document.addEventListener("htmx:before:request", ({ target, detail }) => {
  if (target.dataset?.topics && target.hasAttribute("hx-get")) detail.ctx.request.action = target.getAttribute("hx-get");
});
// What a button did may show in other parts too, whether or not realtime is there to say so.
document.addEventListener("htmx:finally:request", ({ detail }) => {
  if (detail.ctx.request.method === "POST") refreshParts();
});

// New rows of the feed

const news = document.getElementById("news");
const newWords = JSON.parse(board.dataset.wordsNew);
const plurals = new Intl.PluralRules(document.documentElement.lang);
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
    news.textContent = (newWords[plurals.select(unread)] ?? newWords.many).replace("{}", unread);
    news.hidden = false;
  } else {
    for (const id of fresh) document.getElementById(id).classList.add("is-new");
  }
}

// The row that is read stays where it is while others come above it. Safari does not do that by itself, so none does.
// Several parts may be drawn at once: the place is that before the first of them.
let read = null;
let swaps = 0;
// The pill was pressed, and the page is on its way.
let goesUp = false;

document.addEventListener("htmx:before:swap", () => {
  swaps += 1;
  if (swaps > 1) return;
  const row = hasScrolledPast() && !goesUp && [...document.querySelectorAll(".feed-rows > li")].find(isBelowTop);
  read = row ? { id: row.id, top: row.getBoundingClientRect().top } : null;
});
document.addEventListener("htmx:finally:swap", () => (swaps -= 1));

function keepPlace() {
  const row = read && document.getElementById(read.id);
  const moved = row ? row.getBoundingClientRect().top - read.top : 0;
  // Even by nothing, it would end a scrolling that is under way.
  if (Math.abs(moved) >= 1) scrollBy({ top: moved, behavior: "instant" });
}

function isBelowTop(row) {
  return row.getBoundingClientRect().bottom > 0;
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
  goesUp = true;
  document.getElementById("feed").scrollIntoView();
});
function arrive() {
  if (hasScrolledPast()) return;
  goesUp = false;
  if (!news.hidden) readNews();
}

addEventListener("scroll", arrive, { passive: true });
// Or somebody stops it half way.
for (const name of ["wheel", "touchstart"]) addEventListener(name, () => (goesUp = false), { passive: true });

// A row that is held shows what can be done with it.

const HOLD_MS = 500;
const FELT_MS = 20;
let holding;
let heldRow = "";

document.addEventListener("pointerdown", ({ target, pointerType }) => {
  const row = target.closest?.(".row");
  if (row?.id !== heldRow) holdRow("");
  if (!row || pointerType === "mouse") return;
  holding = setTimeout(() => {
    navigator.vibrate?.(FELT_MS);
    holdRow(row.id);
  }, HOLD_MS);
});

// Also after its part was drawn anew.
function holdRow(id) {
  heldRow = id;
  for (const row of document.querySelectorAll(".row")) row.classList.toggle("is-held", row.id === id);
}

for (const event of ["pointerup", "pointercancel", "pointermove"]) {
  document.addEventListener(event, ({ movementX = 0, movementY = 0 }) => {
    if (event !== "pointermove" || Math.hypot(movementX, movementY) > 3) clearTimeout(holding);
  });
}

// Live connection

connectLive({
  realtimeUrl: board.dataset.realtimeUrl,
  ticketUrl: board.dataset.ticketUrl,
  changed: (topics) => {
    refreshParts(topics);
    // A stream that begins is told as a change of overlays, a press elsewhere as one of controls.
    if (topics?.some((topic) => topic === "overlays" || topic === "controls")) askOnAir();
  },
  connection: (seconds) => showLost(document.getElementById("offline"), seconds, OFFLINE_AFTER_SECONDS),
});
document.addEventListener("on-air", () => refreshParts());

// Notices

function tell(words) {
  const notice = document.createElement("p");
  notice.className = "notice notice-said";
  notice.dataset.passes = "";
  notice.textContent = words;
  document.getElementById("notice").replaceChildren(notice);
  enliven();
}

enableCopying(tell);
enliven();
