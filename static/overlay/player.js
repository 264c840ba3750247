// Plays one alert at a time. Time is kept with timers, never with animation frames: those stop while OBS hides the page.

import { buildAlert } from "./alert.js";
import { countUp } from "./amounts.js";
import { CHIME } from "./sound.js";

// From the first moment until the message can be read: the entry, then the message's own (overlay.css).
const READABLE_AFTER_MS = 600;
const EXIT_MS = 250;
const LEAST_MIRROR_MS = 1_000;

export class Player {
  #stage;
  #words;
  #sound;
  #say;
  #current = null;
  #next = null;

  constructor(stage, words, sound, say) {
    this.#stage = stage;
    this.#words = words;
    this.#sound = sound;
    this.#say = say;
  }

  isIdle() {
    return this.#current === null;
  }

  // For the hello: what this overlay speaks for.
  playing() {
    const { alert, speaks, stopped } = this.#current ?? {};
    return speaks && !stopped ? { alert_id: alert.alert_id, lease_id: alert.lease_id } : null;
  }

  // Play an alert that was offered to this overlay: with sound, saying what becomes of it.
  play(alert) {
    this.#show({ alert, speaks: true });
  }

  // Show, silently, what another overlay plays.
  mirror(alert) {
    if (alert.duration_ms - alert.elapsed_ms >= LEAST_MIRROR_MS) this.#show({ alert, speaks: false });
  }

  // End it early: skipped, or not ours any more. Who skipped it waits for our word that it is gone.
  stop(leaseId) {
    if (this.#next?.alert.lease_id === leaseId) this.#next = null;
    if (this.#current?.alert.lease_id === leaseId) this.#leave(false);
    else this.#say.stopped(leaseId);
  }

  stopAll() {
    this.#next = null;
    if (this.#current) this.#leave(false);
  }

  stopOwn() {
    if (this.#next?.speaks) this.#next = null;
    if (this.#current?.speaks) this.#leave(false);
  }

  // Nobody sees the page. What nobody could read goes back to the queue, by the word of the server.
  hide() {
    if (this.#current?.speaks && !this.#current.seen) this.#leave(false);
  }

  #show(showing) {
    if (this.#current?.alert.lease_id === showing.alert.lease_id) return;
    if (this.#current) {
      this.#next = showing;
      this.#leave(this.#current.seen);
      return;
    }
    this.#enter(showing);
  }

  #enter(showing) {
    const { alert, speaks } = showing;
    const plate = buildAlert(alert, this.#words);
    this.#current = { ...showing, plate, seen: false, leaving: false, timers: [] };
    this.#stage.append(plate.root);
    plate.fit();
    const elapsedMs = alert.elapsed_ms ?? 0;
    this.#current.stopCounting = plate.amount
      ? countUp(plate.amount, alert, this.#words, elapsedMs)
      : () => {};
    this.#after(alert.duration_ms - elapsedMs, () => this.#leave(true));
    if (!speaks) return;
    this.#say.started(alert);
    const sound = alert.look ? alert.look.sound : CHIME;
    if (sound) this.#sound.play(sound);
    this.#after(READABLE_AFTER_MS + alert.seen_after_ms, () => {
      this.#current.seen = true;
      this.#say.seen(alert);
    });
  }

  #leave(isFinished) {
    const current = this.#current;
    if (current.leaving) return;
    current.leaving = true;
    current.stopped = !isFinished;
    current.timers.forEach(clearTimeout);
    current.stopCounting();
    current.plate.root.classList.add("leaving");
    // The chime may ring out; a sound of the streamer's own may be longer than the alert.
    if (!isFinished || current.alert.look?.sound?.url) this.#sound.stop();
    setTimeout(() => this.#left(current, isFinished), EXIT_MS);
  }

  #left(current, isFinished) {
    current.plate.root.remove();
    this.#current = null;
    const next = this.#next;
    this.#next = null;
    if (current.speaks) isFinished ? this.#say.finished(current.alert) : this.#say.stopped(current.alert.lease_id);
    if (next) this.#enter(next);
    else this.#say.idle();
  }

  #after(delayMs, action) {
    this.#current.timers.push(setTimeout(action, Math.max(delayMs, 0)));
  }
}
