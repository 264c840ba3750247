// The chime. Decoded once, through one AudioContext that stays open: OBS swallows the first moments of a sound that
// opens its own, and the file begins with 200 ms of silence for the same reason.

export class Sound {
  #context = new AudioContext();
  #chime = null;
  #playing = null;

  constructor() {
    this.#load();
  }

  async #load() {
    try {
      const response = await fetch(new URL("./chime.wav", import.meta.url));
      this.#chime = await this.#context.decodeAudioData(await response.arrayBuffer());
    } catch {
      // An alert without its chime is better than none; the next one asks again.
      this.#chime = null;
    }
  }

  play() {
    if (!this.#chime) {
      this.#load();
      return;
    }
    // A sound that starts minutes later, at the first click, would be a surprise.
    if (this.#context.state !== "running") {
      this.#context.resume();
      if (!window.obsstudio) return;
    }
    this.stop();
    this.#playing = new AudioBufferSourceNode(this.#context, { buffer: this.#chime });
    this.#playing.connect(this.#context.destination);
    this.#playing.start();
    // For whoever looks for the reason of silence, in OBS's remote debugger.
    document.body.dataset.sounds = Number(document.body.dataset.sounds ?? 0) + 1;
  }

  stop() {
    this.#playing?.stop();
    this.#playing = null;
  }

  // A tab may not make a sound before its first click; OBS always may.
  askForClick(isWanted, tell) {
    const isNeeded = () => isWanted && this.#context.state !== "running";
    tell(isNeeded());
    this.#context.onstatechange = () => tell(isNeeded());
    document.addEventListener("click", () => this.#context.resume(), { once: true });
  }
}
