// What an alert sounds like: the streamer's own sound (clips.js), or the chime. The chime is decoded once. Everything goes
// through one AudioContext, for a sound that opens its own loses its first moments in OBS; the chime begins with 200 ms of
// silence for the same reason.
//
// The context is suspended while nothing plays: Chromium renders silence as busily as sound. Going on is safe in OBS,
// which lets pages sound without a click, and its time stands still until the device is there, so nothing is lost.

import { Clips } from "./clips.js";

// As an alert's `look` would say it.
export const CHIME = { url: null, volume: 1, start_ms: 0, end_ms: null };
// An alert is not to be heard when it is half over: then the chime, and the sound from the next one on.
const LONGEST_WAIT_MS = 1_500;

export class Sound {
  #context = new AudioContext();
  // All that sounds goes through it.
  #volume = new GainNode(this.#context);
  #clips = new Clips(this.#context);
  #chime = null;
  #playing = null;
  // Which sound is wanted: one that was stopped while it was on its way is not played.
  #turn = 0;
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

  async play(sound) {
    if (!this.#chime) this.#load();
    // A sound that starts minutes later, at the first click, would be a surprise.
    if (!this.#isAllowed) return;
    this.stop();
    const turn = this.#turn;
    this.#isResting = false;
    this.#context.resume();
    if (!sound.url) {
      this.#playChime(sound);
      return;
    }
    const late = new Promise((resolve) => setTimeout(resolve, LONGEST_WAIT_MS, null));
    const clip = await Promise.race([this.#clips.prepare(sound), late]);
    if (turn !== this.#turn) return;
    try {
      if (!clip) throw new Error("late or broken");
      this.#playing = clip;
      await clip.start(this.#gain(sound));
      this.#note("own");
    } catch {
      if (turn === this.#turn) this.#playChime(sound);
    }
  }

  stop() {
    this.#turn += 1;
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

  #playChime(sound) {
    if (!this.#chime) return;
    this.#playing = new AudioBufferSourceNode(this.#context, { buffer: this.#chime });
    this.#playing.connect(this.#gain(sound));
    this.#playing.start();
    this.#note("chime");
  }

  #gain({ volume }) {
    const gain = this.#context.createGain();
    gain.gain.value = volume;
    gain.connect(this.#volume);
    return gain;
  }

  // For whoever looks for the reason of silence, in OBS's remote debugger.
  #note(kind) {
    document.body.dataset.sounds = Number(document.body.dataset.sounds ?? 0) + 1;
    document.body.dataset.sound = kind;
  }

  #settle() {
    if (this.#context.state !== "running") return;
    this.#isAllowed = true;
    this.#tell();
    if (this.#isResting) this.#context.suspend();
  }
}
