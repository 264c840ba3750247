// The line that grows while an alert plays: from where the server said it is, to its end.

export function runProgress(bar) {
  const line = bar.firstElementChild;
  for (const animation of line.getAnimations()) animation.cancel();
  if ("offered" in bar.dataset) return null;
  const duration = Number(bar.dataset.durationMs);
  const frames = [{ transform: "scaleX(0)" }, { transform: "scaleX(1)" }];
  const animation = line.animate(frames, { duration, fill: "forwards" });
  animation.currentTime = Math.min(Number(bar.dataset.elapsedMs), duration);
  return animation;
}
