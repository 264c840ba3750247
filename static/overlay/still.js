// One alert that stands still, for the streamer's settings: drawn as in OBS, stopped where all of it is to be seen. The
// form around this frame sends another whenever something is typed.

import { buildAlert } from "./alert.js";
import { fontsAreReady } from "./fonts.js";
import { pickWords } from "./words.js";

// What flies is caught somewhere on its way; everything else has arrived.
const FLYING = /^(spark|confetti|heart|rocket-spark)\b/;
const CAUGHT_FROM = 0.12;
const CAUGHT_TO = 0.6;

const words = pickWords(document.documentElement.lang);

function draw() {
  const shown = buildAlert(JSON.parse(document.body.dataset.alert), words);
  document.getElementById("stage").replaceChildren(shown.root);
  shown.fit();
  for (const animation of document.getAnimations()) {
    const { target } = animation.effect;
    if (!FLYING.test(target.className)) {
      animation.finish();
      continue;
    }
    const { delay, duration } = animation.effect.getComputedTiming();
    animation.currentTime = delay + duration * (CAUGHT_FROM + Math.random() * (CAUGHT_TO - CAUGHT_FROM));
    animation.pause();
  }
}

window.addEventListener("message", (event) => {
  if (event.origin !== location.origin || event.source !== window.parent) return;
  document.body.dataset.alert = event.data;
  fontsAreReady().then(draw);
});
fontsAreReady().then(draw);
