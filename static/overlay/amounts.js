// Sums, as people write them: no break before the sign, digits in threes.

const COUNT_UP_MS = 400;
const STEPS = 10;

export function formatAmount(amountMinor, words) {
  return `${formatNumber(amountMinor, words)}\u00a0₽`;
}

// Without the sign, which a streamer's own text brings itself.
export function formatNumber(amountMinor, words) {
  const whole = amountMinor % 100 === 0;
  const digits = new Intl.NumberFormat(words.lang, {
    minimumFractionDigits: whole ? 0 : 2,
    maximumFractionDigits: whole ? 0 : 2,
  }).format(amountMinor / 100);
  return digits.replace(/\s/g, "\u00a0");
}

// The sum runs up to its value in ten steps and stands still. Returns what ends it at once.
export function countUp(element, alert, words, elapsedMs) {
  let step = elapsedMs > COUNT_UP_MS ? STEPS : 0;
  const show = () => {
    const share = 1 - (1 - step / STEPS) ** 3;
    const minor = step === STEPS ? alert.amount_minor : Math.round((alert.amount_minor * share) / 100) * 100;
    element.textContent = formatAmount(minor, words);
    if (step >= STEPS) clearInterval(timer);
    step += 1;
  };
  const timer = setInterval(show, COUNT_UP_MS / STEPS);
  show();
  return () => {
    step = STEPS;
    show();
  };
}
