// Makes the donor's pages quicker to use. Everything works without it, so it may load late or never.

const REMEMBERED = "donate";
const NBSP = "\u00a0";

// The same rule as parse_amount in web/pages/donate_form.py: kopecks, or null when it cannot be understood.
const AMOUNT = /^₽? ?([0-9]{1,9}|[0-9]{1,3}(?:[ '’][0-9]{3}){1,2})(?:[.,]([0-9]{0,2}))? ?(?:₽|р\.?|руб\.?|рубл(?:ь|я|ей)|rub\.?)?$/i;

export function parseAmount(text) {
  const match = AMOUNT.exec(text.replace(/\p{Zs}/gu, " ").trim());
  if (!match) return null;
  return Number(match[1].replace(/[^0-9]/g, "")) * 100 + Number((match[2] ?? "").padEnd(2, "0"));
}

export function formatMoney(amountMinor, locale) {
  const rubles = String(Math.trunc(amountMinor / 100)).replace(/\B(?=(\d{3})+$)/g, NBSP);
  const kopecks = amountMinor % 100;
  const mark = locale === "en" ? "." : ",";
  return rubles + (kopecks ? mark + String(kopecks).padStart(2, "0") : "") + NBSP + "₽";
}

const UNSEEN = /(\p{So}|\ufe0f|[\u{1f3fb}-\u{1f3ff}])\u200d(?=\p{So})|[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]/gu;
const HEAP_OF_MARKS = /([\p{Mn}\p{Me}]{4})[\p{Mn}\p{Me}]+/gu;

// Without what the server leaves out (domain/text.py): characters nobody sees, and marks heaped upon a letter.
function seen(text) {
  return text.normalize("NFC").replace(UNSEEN, (found, emoji) => (emoji ? found : "")).replace(HEAP_OF_MARKS, "$1");
}

// Code points of what the server will keep, as domain/text.py counts them (rarer invisible characters aside).
export function countCharacters(text) {
  const lines = seen(text).split(/\r\n?|\n/).map((line) => line.trim().replace(/\s+/g, " "));
  return [...lines.filter(Boolean).join("\n")].length;
}

function recall() {
  try {
    return JSON.parse(localStorage.getItem(REMEMBERED)) ?? {};
  } catch {
    return {};
  }
}

function remember(values) {
  try {
    localStorage.setItem(REMEMBERED, JSON.stringify(values));
  } catch {
    // A private window: nothing is remembered.
  }
}

function enhanceForm(form) {
  const locale = document.documentElement.lang;
  const { amount, message, name, email, anonymous } = form.elements;
  const pay = form.querySelector(".pay");
  const payWords = pay.textContent;
  const preview = form.querySelector("[data-preview]");
  const counter = form.querySelector("[data-counter]");
  const counterWords = counter?.textContent;
  const chips = [...form.querySelectorAll(".chips button")];

  function update() {
    const amountMinor = parseAmount(amount.value);
    const fits = amountMinor !== null && amountMinor >= form.dataset.min && amountMinor <= form.dataset.max;
    const money = fits ? formatMoney(amountMinor, locale) : "";
    pay.textContent = fits ? form.dataset.pay.replace("{}", money) : payWords;
    for (const chip of chips) {
      chip.setAttribute("aria-pressed", String(amountMinor !== null && parseAmount(chip.value) === amountMinor));
    }
    preview.hidden = !fits;
    preview.querySelector("[data-amount]").textContent = money;
    const shownName = anonymous.checked ? "" : seen(name.value).trim();
    preview.querySelector("[data-name]").textContent = shownName || form.dataset.anonymous;
    preview.querySelector("[data-message]").textContent = message ? seen(message.value).trim() : "";
    name.disabled = anonymous.checked;
    if (counter) {
      const length = countCharacters(message.value);
      const limit = Number(message.dataset.limit);
      counter.textContent = length ? `${length} / ${limit}` : counterWords;
      counter.className = length > limit ? "over" : "";
    }
  }

  form.addEventListener("input", update);
  for (const chip of chips) {
    chip.addEventListener("click", (event) => {
      event.preventDefault();
      amount.value = chip.value;
      update();
    });
  }
  // Capturing: before anything sends the form, so that the device remembers what was sent.
  form.addEventListener("submit", () => {
    const known = email ? email.value : recall().email;
    remember({ name: name.value, email: known, anonymous: anonymous.checked, amount: amount.value });
    form.querySelector("[data-problem]").hidden = true;
  }, true);

  // What people typed while this file was on its way wins over what the device remembers.
  if (!("preselected" in form.dataset)) {
    const known = recall();
    if (!amount.value && typeof known.amount === "string" && parseAmount(known.amount) !== null) amount.value = known.amount;
  }
  if (!form.querySelector("[aria-invalid]")) {
    const known = recall();
    if (!name.value && typeof known.name === "string") name.value = known.name;
    if (email && !email.value && typeof known.email === "string") email.value = known.email;
    // Another name than the remembered one was typed a moment ago, to be shown.
    if (known.anonymous === true && name.value === known.name) anonymous.checked = true;
  }
  update();
}

function showLocalTimes(root) {
  for (const time of root.querySelectorAll("time[datetime]")) {
    const moment = new Date(time.dateTime);
    if (!Number.isNaN(moment.getTime())) {
      time.textContent = moment.toLocaleTimeString(document.documentElement.lang, { hour: "2-digit", minute: "2-digit", hour12: false });
    }
  }
}

function enhance() {
  const root = document.getElementById("donate");
  if (!root || root.dataset.enhanced) return;
  root.dataset.enhanced = "1";
  if (root.matches("form")) enhanceForm(root);
  showLocalTimes(root);
  if (root.dataset.title) document.title = root.dataset.title;
}

// A state that replaced another took the focus with it; a keyboard or a screen reader goes on at the new heading.
function enhanceSwapped() {
  enhance();
  if (document.activeElement === document.body) document.querySelector("section#donate h2")?.focus({ preventScroll: true });
}

// A phone puts the tab to sleep while its owner is in the bank's app: the wait it was in is dead, so ask anew.
function lookAgain() {
  const live = document.querySelector("#donate[data-live]");
  if (!live || document.visibilityState !== "visible") return;
  if (!window.htmx) {
    if (!document.querySelector("form#donate")) location.reload();
    return;
  }
  window.htmx.trigger(live, "htmx:abort");
  // The aborted one leaves its place a moment later.
  setTimeout(() => window.htmx.trigger(live, "look"), 50);
}

// iOS lays its keyboard over the page, which stays as tall as it was: what sticks to the bottom is lifted by hand. Elsewhere
// the page shrinks (interactive-widget), and nothing is covered.
function liftAboveKeyboard() {
  const { height, offsetTop, scale } = window.visualViewport;
  const covered = scale > 1 ? 0 : Math.max(0, Math.round(window.innerHeight - height - offsetTop));
  document.documentElement.style.setProperty("--covered", `${covered}px`);
}

enhance();
new MutationObserver(enhanceSwapped).observe(document.querySelector(".card"), { childList: true });
for (const event of ["resize", "scroll"]) window.visualViewport?.addEventListener(event, liftAboveKeyboard);
document.addEventListener("visibilitychange", lookAgain);
window.addEventListener("pageshow", (event) => {
  if (event.persisted) lookAgain();
});
document.addEventListener("htmx:error", (event) => {
  const form = document.querySelector("form#donate");
  const problem = form?.querySelector("[data-problem]");
  if (problem && form.contains(event.target)) {
    problem.textContent = form.dataset.failed;
    problem.hidden = false;
  }
});
