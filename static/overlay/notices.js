// Words for the streamer, not for viewers: in OBS only about a wrong address, and only for a while.

const OBS_SHOWS_MS = 20_000;
const LOST_AFTER_MS = 3_000;

export class Notices {
  #box;
  #words;
  #lines = new Map();
  #lostTimer = 0;
  #refusedCode = null;

  constructor(box, words) {
    this.#box = box;
    this.#words = words;
  }

  refused(code) {
    this.#set("lost", null);
    clearTimeout(this.#lostTimer);
    if (this.#refusedCode === code) return;
    this.#refusedCode = code;
    this.#set("preview", null);
    this.#set("click", null);
    this.#set("refused", this.#words.refused[code] ?? this.#words.refused.other);
    // Viewers see this too: long enough to be read by who set the source up, no longer.
    if (window.obsstudio) setTimeout(() => this.#set("refused", null), OBS_SHOWS_MS);
    else this.#box.append(this.#linkToDashboard());
  }

  connected() {
    clearTimeout(this.#lostTimer);
    this.#refusedCode = null;
    this.#set("refused", null);
    this.#set("lost", null);
  }

  lost() {
    if (window.obsstudio || this.#refusedCode) return;
    clearTimeout(this.#lostTimer);
    this.#lostTimer = setTimeout(() => this.#set("lost", this.#words.lost), LOST_AFTER_MS);
  }

  preview(role) {
    this.#set("preview", this.#words.preview[role]);
  }

  clickForSound(isNeeded) {
    this.#set("click", isNeeded ? this.#words.click : null);
  }

  // Where addresses are; whoever came here by a browser has nothing else to press.
  #linkToDashboard() {
    const link = document.createElement("a");
    link.href = "/dashboard";
    link.textContent = this.#words.dashboard;
    return link;
  }

  #set(name, text) {
    if (text) this.#lines.set(name, text);
    else this.#lines.delete(name);
    this.#box.replaceChildren(
      ...[...this.#lines.values()].map((line) => {
        const paragraph = document.createElement("p");
        paragraph.textContent = line;
        return paragraph;
      }),
    );
    this.#box.hidden = this.#lines.size === 0;
  }
}
