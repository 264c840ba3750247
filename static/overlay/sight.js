// Whether anybody sees this page. OBS's events are hints: they may be late, doubled, or never come.

const SETTLE_MS = 250;

export function inObs() {
  return Boolean(window.obsstudio);
}

export class Sight {
  #visible = inObs() ? null : document.visibilityState === "visible";
  #active = null;
  #timer = 0;
  #onChange;

  constructor(onChange) {
    this.#onChange = onChange;
    window.addEventListener("obsSourceVisibleChanged", (event) => this.#set(event.detail?.visible, this.#active));
    window.addEventListener("obsSourceActiveChanged", (event) => this.#set(this.#visible, event.detail?.active));
    if (!inObs()) {
      document.addEventListener("visibilitychange", () => this.#set(document.visibilityState === "visible", null));
    }
  }

  // null: nobody knows.
  state() {
    return { visible: this.#visible, active: this.#active };
  }

  #set(visible, active) {
    this.#visible = typeof visible === "boolean" ? visible : this.#visible;
    this.#active = typeof active === "boolean" ? active : this.#active;
    // Two events may come at once, and a scene that flickers is not worth a word.
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#onChange(this.state()), SETTLE_MS);
  }
}
