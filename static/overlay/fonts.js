// The typeface, fetched before anything is shown in it: text whose typeface is on its way may be invisible, and whether
// an alert was seen goes by the clock.

const LONGEST_WAIT_MS = 3_000;
// A letter from each of the files in overlay.css.
const SAMPLE = "AЯѢ₽";

// Resolves when the typeface is there, or when waiting for it would be worse than another one.
export function fontsAreReady() {
  const loaded = document.fonts.load("16px Onest", SAMPLE).catch(() => {});
  return Promise.race([loaded, new Promise((resolve) => setTimeout(resolve, LONGEST_WAIT_MS))]);
}
