// The streamer's own sounds: fetched whole, the latest kept, and played from their compressed bytes, since a song of
// minutes would fill the memory of OBS if it were decoded for the five seconds that are wanted.

const KEPT = 4;

export class Clips {
  #context;
  #urls = new Map();

  constructor(context) {
    this.#context = context;
  }

  // A clip that is ready to be played, or null when it cannot be.
  async prepare(sound) {
    try {
      const audio = new Audio(await this.#fetch(sound.url));
      await new Promise((resolve, reject) => {
        audio.addEventListener("loadedmetadata", resolve, { once: true });
        audio.addEventListener("error", () => reject(audio.error), { once: true });
      });
      return new Clip(this.#context, audio, sound);
    } catch {
      return null;
    }
  }

  async #fetch(url) {
    const known = this.#urls.get(url);
    if (known) return known;
    const response = await fetch(url);
    if (!response.ok) throw new Error(`${response.status}`);
    const local = URL.createObjectURL(await response.blob());
    this.#urls.set(url, local);
    for (const [oldest, made] of this.#urls) {
      if (this.#urls.size <= KEPT) break;
      URL.revokeObjectURL(made);
      this.#urls.delete(oldest);
    }
    return local;
  }
}

class Clip {
  #audio;
  #node;
  #end = null;

  constructor(context, audio, { start_ms: startMs, end_ms: endMs }) {
    this.#audio = audio;
    this.#node = context.createMediaElementSource(audio);
    // Of a file that was replaced by a shorter one, all is better than nothing.
    const startsAt = startMs / 1000 < audio.duration ? startMs / 1000 : 0;
    audio.currentTime = startsAt;
    if (endMs !== null) {
      audio.addEventListener("playing", () => {
        this.#end ??= setTimeout(() => this.stop(), Math.max(endMs - startMs, 0));
      });
    }
  }

  start(output) {
    this.#node.connect(output);
    return this.#audio.play();
  }

  stop() {
    clearTimeout(this.#end);
    this.#audio.pause();
    this.#node.disconnect();
  }
}
