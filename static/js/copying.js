// Buttons that copy: data-copy holds the text, data-copy-from the address of what is not to stand in the page.

export function showCopyButtons() {
  for (const button of document.querySelectorAll("[data-copy], [data-copy-from]")) button.hidden = false;
}

function showNotice(words) {
  const notice = document.createElement("p");
  notice.className = "notice notice-said";
  notice.textContent = words;
  document.getElementById("notice").replaceChildren(notice);
}

// `tell` shows a sentence when nothing could be copied.
export function enableCopying(tell = showNotice) {
  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copy], [data-copy-from]");
    if (button) await copy(button, tell);
    else if (event.target.matches("[data-select]")) event.target.select();
  });
}

async function copy(button, tell) {
  const text = "copy" in button.dataset ? Promise.resolve(button.dataset.copy) : fetchAddress(button.dataset.copyFrom);
  try {
    // Given as a promise, so that Safari still counts the click that asked for it.
    const blob = text.then((found) => new Blob([found], { type: "text/plain" }));
    await navigator.clipboard.write([new ClipboardItem({ "text/plain": blob })]);
  } catch {
    if (!copyUnseen(await text)) {
      tell(button.dataset.failed);
      return;
    }
  }
  const label = button.querySelector("[data-label]");
  const words = label.textContent;
  label.textContent = button.dataset.copied;
  setTimeout(() => (label.textContent = words), 1_500);
}

// Without HTTPS there is no clipboard to write to. The old way copies what is selected; nobody is to see what that is.
function copyUnseen(text) {
  const focused = document.activeElement;
  const box = document.createElement("textarea");
  box.className = "only-heard";
  box.value = text;
  document.body.append(box);
  box.select();
  const copied = document.execCommand("copy");
  box.remove();
  focused?.focus({ preventScroll: true });
  return copied;
}

async function fetchAddress(url) {
  const response = await fetch(url, { method: "POST" });
  if (response.redirected) location.reload();
  return (await response.json()).address;
}
