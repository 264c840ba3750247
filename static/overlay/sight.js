// Whether anybody sees this page. The browser knows: OBS hides the page of a source that no shown scene has, also when
// it loads there and no event ever comes. OBS's own events may be late, doubled, or never come; the last word counts.

const SETTLE_MS = 250;

export function inObs() {
  return Boolean(window.obsstudio);
}

export class Sight {
  #visible = isShown();
  #active = null;
  #streaming = null;
  #timer = 0;
  #onChange;

  constructor(onChange) {
    this.#onChange = onChange;
    document.addEventListener("visibilitychange", () => this.#set(isShown(), null));
    window.addEventListener("obsSourceVisibleChanged", (event) => this.#set(event.detail?.visible, null));
    // What is on the program is seen; what left it may still be seen in a preview.
    window.addEventListener("obsSourceActiveChanged", (event) => this.#set(event.detail?.active || null, event.detail?.active));
    // From the moment the stream is on its way until it is over.
    for (const [event, streaming] of [["Starting", true], ["Started", true], ["Stopped", false]]) {
      window.addEventListener(`obsStreaming${event}`, () => this.#stream(streaming));
    }
    window.obsstudio?.getStatus?.((status) => this.#stream(status?.streaming));
  }

  // null: nobody knows.
  state() {
    return { visible: this.#visible, active: this.#active, streaming: this.#streaming };
  }

  #stream(streaming) {
    if (typeof streaming !== "boolean" || streaming === this.#streaming) return;
    this.#streaming = streaming;
    this.#settle();
  }

  #set(visible, active) {
    this.#visible = typeof visible === "boolean" ? visible : this.#visible;
    this.#active = typeof active === "boolean" ? active : this.#active;
    this.#settle();
  }

  #settle() {
    // Two events may come at once, and a scene that flickers is not worth a word.
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#onChange(this.state()), SETTLE_MS);
  }
}

function isShown() {
  return document.visibilityState === "visible";
}
