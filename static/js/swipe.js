// A card that is swiped with a finger: right presses one of its buttons, left another (UX.md, "Control page" 7).
//
//     import { swipeable } from "./swipe.js";
//     swipeable(card, { right: '[value="show"]', left: '[value="hide"]' });
//
// export function swipeable(element, {right, left})
//     right, left    CSS selectors of buttons inside the element, looked for at the moment of the swipe; where none is
//                    found, or it is disabled, that direction does nothing. The hint bears the button's own words.
// Calling it again for the same element is harmless, so that it may be called after each swap. The page links
// css/swipe.css. A mouse does not swipe: it selects text, and has the buttons.

const CLAIM_PX = 12;
const PRESS_PX = 96;
const PRESS_SHARE = 0.35;

const known = new WeakSet();
const stillness = matchMedia("(prefers-reduced-motion: reduce)");

export function swipeable(element, { right, left }) {
  element.classList.add("swipeable");
  if (known.has(element)) return;
  known.add(element);

  // { id, card, x, y, isClaimed, direction, isFar } of the finger that is down.
  let swipe = null;

  element.addEventListener("pointerdown", (event) => {
    if (swipe || event.pointerType === "mouse" || !event.isPrimary) return;
    swipe = { id: event.pointerId, card: element.id, x: event.clientX, y: event.clientY, isClaimed: false };
  });

  element.addEventListener("pointermove", (event) => {
    if (event.pointerId !== swipe?.id) return;
    const x = event.clientX - swipe.x;
    const y = event.clientY - swipe.y;
    if (!swipe.isClaimed) {
      if (Math.hypot(x, y) < CLAIM_PX) return;
      // It goes along the page: that is scrolling, whatever follows.
      if (Math.abs(x) < Math.abs(y) * 1.5) return end();
      swipe.isClaimed = true;
      element.setPointerCapture(swipe.id);
    }
    show(x);
  });

  element.addEventListener("pointerup", (event) => {
    if (event.pointerId !== swipe?.id) return;
    const { card, direction, isClaimed, isFar } = swipe;
    end();
    if (isClaimed) swallowClick();
    // The element may have become another card under the finger.
    if (isFar && element.isConnected && element.id === card) buttonOf(direction)?.click();
  });

  element.addEventListener("pointercancel", (event) => event.pointerId === swipe?.id && end());

  function show(x) {
    const direction = x > 0 ? "right" : "left";
    const button = buttonOf(direction);
    const far = Math.min(PRESS_PX, element.clientWidth * PRESS_SHARE);
    swipe.direction = direction;
    swipe.isFar = button !== null && Math.abs(x) >= far;
    if (button) {
      element.dataset.swipe = direction;
      element.dataset.swipeWords = button.textContent.trim();
    } else {
      delete element.dataset.swipe;
    }
    element.classList.toggle("is-far", swipe.isFar);
    element.classList.add("is-swiped");
    // Where nothing can be done the card only gives a little.
    if (!stillness.matches) element.style.transform = `translateX(${button ? x : x / 8}px)`;
  }

  function end() {
    swipe = null;
    element.classList.remove("is-swiped", "is-far");
    element.style.transform = "";
    delete element.dataset.swipe;
    delete element.dataset.swipeWords;
  }

  function buttonOf(direction) {
    return element.querySelector(`:is(${direction === "right" ? right : left}):enabled`);
  }

  // A swipe that began on a button is no press of it.
  function swallowClick() {
    const swallow = (event) => {
      if (!event.isTrusted) return;
      event.preventDefault();
      event.stopPropagation();
    };
    element.addEventListener("click", swallow, true);
    setTimeout(() => element.removeEventListener("click", swallow, true), 50);
  }
}
