// Shows the frame with a still picture of a level, as a source of 1920 × 1080 made as small as the page has room.

const WIDTH = 1920;

for (const still of document.querySelectorAll(".still")) {
  const frame = still.querySelector(".still-frame");
  const fit = () => frame.style.setProperty("transform", `scale(${still.clientWidth / WIDTH})`);
  still.hidden = false;
  fit();
  new ResizeObserver(fit).observe(still);
}
