// The chime. Decoded once, through one AudioContext, for a sound that opens its own loses its first moments in OBS; the
// file begins with 200 ms of silence for the same reason.
//
// The context is suspended while nothing plays: Chromium renders silence as busily as sound. Going on is safe in OBS,
// which lets pages sound without a click, and its time stands still until the device is there, so nothing is lost.

export class Sound {
  #context = new AudioContext();
  // All that sounds goes through it.
  #volume = new GainNode(this.#context);
  #chime = null;
  #playing = null;
  #isResting = true;
  // A tab may not make a sound before its first click; OBS always may.
  #isAllowed = Boolean(window.obsstudio);
  #tell = () => {};

  constructor() {
    this.#volume.connect(this.#context.destination);
    this.#context.onstatechange = () => this.#settle();
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
    if (!this.#isAllowed) return;
    this.#isResting = false;
    this.#context.resume();
    this.stop();
    this.#playing = new AudioBufferSourceNode(this.#context, { buffer: this.#chime });
    this.#playing.connect(this.#volume);
    this.#playing.start();
    // For whoever looks for the reason of silence, in OBS's remote debugger.
    document.body.dataset.sounds = Number(document.body.dataset.sounds ?? 0) + 1;
  }

  stop() {
    this.#playing?.stop();
    this.#playing = null;
  }

  // At once, what plays too; unmuted, its rest is heard.
  mute(isMuted) {
    this.#volume.gain.value = isMuted ? 0 : 1;
    // For whoever looks for the reason of silence.
    document.body.dataset.muted = isMuted;
  }

  // The alert is off the screen, and no other follows at once.
  rest() {
    this.#isResting = true;
    this.#settle();
  }

  askForClick(isWanted, tell) {
    this.#tell = () => tell(isWanted && !this.#isAllowed);
    this.#tell();
    document.addEventListener("click", () => this.#context.resume(), { once: true });
  }

  #settle() {
    if (this.#context.state !== "running") return;
    this.#isAllowed = true;
    this.#tell();
    if (this.#isResting) this.#context.suspend();
  }
}
