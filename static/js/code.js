// Counts down to the next letter with a code. Without this script the server alone says when it is time.

for (const button of document.querySelectorAll("button[data-pause]")) {
  let left = Number(button.dataset.pause);
  const words = button.textContent;
  const show = () => {
    button.disabled = left > 0;
    button.textContent = left > 0 ? button.dataset.words.replace("{}", left) : words;
    if (left > 0) {
      left -= 1;
      setTimeout(show, 1000);
    }
  };
  show();
}
