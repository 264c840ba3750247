// The page OBS opens, /overlay#<token>: connects the socket, the player and what OBS says of the source.
// docs/realtime.md describes the messages. Chrome 103; nothing runs while nothing plays.

import { Connection } from "./connection.js";
import { fontsAreReady } from "./fonts.js";
import { Memory } from "./memory.js";
import { Notices } from "./notices.js";
import { Player } from "./player.js";
import { Sight, inObs } from "./sight.js";
import { Sound } from "./sound.js";
import { pickWords } from "./words.js";

const RELOAD_AT_MOST_EVERY_MS = 600_000;
const RELOAD_WITHIN_MS = 30_000;

const { realtimeUrl, version } = document.body.dataset;
// The first version's addresses have it in the query (web/api/alert_widget.py).
const token = location.hash.slice(1) || (new URLSearchParams(location.search).get("token") ?? "");
const words = pickWords(new URLSearchParams(location.search).get("lang"));
document.documentElement.lang = words.lang;

const notices = new Notices(document.getElementById("notice"), words);
const memory = new Memory();
const sound = new Sound();
const sight = new Sight((state) => {
  if (state.visible === false) player.hide();
  connection.state(state);
});
const player = new Player(document.getElementById("stage"), words, sound, {
  started: (alert) => connection.say("started", alert),
  seen: (alert) => {
    memory.rememberSeen(alert);
    connection.say("seen", alert);
  },
  finished: (alert) => {
    memory.rememberFinished(alert);
    connection.say("finished", alert);
  },
  stopped: (leaseId) => connection.stopped(leaseId),
  idle() {
    sound.rest();
    reloadIfOld();
  },
});
let newestVersion = version;

const connection = new Connection(realtimeUrl, {
  hello: () => ({
    token,
    in_obs: inObs(),
    ...sight.state(),
    playing: player.playing(),
    seen: memory.seen(),
  }),
  welcome(data) {
    notices.connected();
    mute(data.muted === true);
    if (!data.goes_on) player.stopOwn();
    newestVersion = data.version;
    showRole(data.role);
    reloadIfOld();
  },
  role: (data) => showRole(data.role),
  controls: (data) => mute(data.muted === true),
  offer(alert) {
    if (memory.hasSeen(alert.alert_id)) {
      // Shown already, though the word of it got lost: only confirmed, never played again.
      memory.rememberFinished(alert);
      connection.say("seen", alert);
      connection.say("finished", alert);
      return;
    }
    player.play(alert);
  },
  mirror: (alert) => player.mirror(alert),
  stop: (data) => player.stop(data.lease_id),
  refused(code) {
    player.stopAll();
    notices.refused(code);
  },
  lost: () => notices.lost(),
});

// Viewers see nothing of it.
function mute(isMuted) {
  sound.mute(isMuted);
  connection.muted(isMuted);
}

function showRole(role) {
  if (inObs()) return;
  notices.preview(role);
  sound.askForClick(role === "speaker", (needed) => notices.clickForSound(needed));
}

function reloadIfOld() {
  if (newestVersion === version || !memory.mayReload(RELOAD_AT_MOST_EVERY_MS)) return;
  // Not all overlays at once, and not while anything plays: asked again when it ends.
  setTimeout(() => {
    if (player.isIdle() && memory.mayReload(RELOAD_AT_MOST_EVERY_MS)) {
      memory.rememberReload();
      location.reload();
    }
  }, Math.random() * RELOAD_WITHIN_MS);
}

window.addEventListener("hashchange", () => location.reload());
window.addEventListener("pagehide", () => connection.leave());
window.addEventListener("pageshow", (event) => event.persisted && location.reload());

if (token) {
  fontsAreReady().then(() => connection.open());
} else {
  notices.refused("no_token");
}
