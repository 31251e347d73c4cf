// The document camera: a live picture with the sheet outlined, and the pages that were taken.
import { post, send } from "../api.js";
import * as live from "../camera/live.js";
import * as stillness from "../camera/stillness.js";
import { byId, el, svg } from "../dom.js";
import { t } from "../words.js";

const LOOK_EVERY_MS = 180;
const LOOK_SIDE = 640;
const AGAIN_AFTER_MS = 2000;
const TRIES_UNTIL_SHARP = 5;

let state = null;
let round = 0; // grows when the loop that runs must end
let problem = null;
let at = 0;
let insteadOf = "";
let blurred = 0;
let busy = false;
let pressed = false;
let drawn = "";

const video = () => byId("camera-video");
const shots = () => state?.shots ?? [];
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

export function render(whole, spokenAnew) {
  state = whole.camera;
  if (!shots().some((shot) => shot.id === insteadOf)) insteadOf = "";
  const key = JSON.stringify(shots());
  if (key !== drawn || spokenAnew) {
    const more = JSON.parse(drawn || "[]").length < shots().length;
    drawn = key;
    drawStrip();
    mark(more ? shots().length - 1 : at);
  }
  showChoice();
  if (spokenAnew) showProblem();
}

export function enter() {
  byId("camera-stage").focus({ preventScroll: true });
  stillness.forget();
  round += 1;
  run(round);
}

export function leave() {
  round += 1;
  insteadOf = "";
  live.stop(video());
}

async function run(mine) {
  while (mine === round) {
    try {
      await live.start(video(), state?.choice ?? {}, () => fail("gone"));
      if (mine !== round) return live.stop(video());
      fail(null);
      showChoice();
      while (mine === round && live.running()) await look(mine);
    } catch (error) {
      if (mine !== round) return;
      fail(error.reason ?? "busy");
    }
    await pause(AGAIN_AFTER_MS);
  }
}

// One frame: where is the sheet, does it lie still, is it to be taken.
async function look(mine) {
  const began = performance.now();
  const frame = await live.photograph(video(), LOOK_SIDE, 0.75);
  let corners = null;
  if (frame) {
    try {
      ({ corners } = await send("camera/look", frame));
    } catch {
      corners = null; // a frame is not worth a word; the next one comes at once
    }
  }
  if (mine !== round) return;
  outline(corners);
  if (frame && !busy) {
    const { still, fresh } = stillness.judge(video(), corners);
    const wanted = state.choice.by_itself && corners && still && fresh;
    if (wanted) await take(true);
    else say(corners, still, fresh);
  }
  await pause(Math.max(30, LOOK_EVERY_MS - (performance.now() - began)));
}

function say(corners, still, fresh) {
  if (insteadOf) return tellStatus("camera.again", { number: numberOf(insteadOf) });
  if (!corners) return tellStatus("camera.put");
  if (!fresh) return tellStatus("camera.next", { count: shots().length });
  if (!state.choice.by_itself) return tellStatus("camera.press");
  return tellStatus(blurred ? "camera.blurred" : still ? "camera.taking" : "camera.hold");
}

function tellStatus(key, values = {}) {
  const place = byId("camera-status");
  const words = t(key, values);
  if (place.textContent !== words) place.textContent = words;
}

async function take(byItself) {
  if (busy) pressed ||= !byItself; // a key is never lost: it is done next
  if (busy || !live.running()) return;
  busy = true;
  tellStatus("camera.taking");
  try {
    const photograph = await live.photograph(video());
    if (!photograph) return;
    const onlyIfSharp = byItself && blurred < TRIES_UNTIL_SHARP;
    const asked = new URLSearchParams({ only_if_sharp: onlyIfSharp, instead_of: insteadOf });
    const { id } = await send(`camera/shots?${asked}`, photograph);
    if (id === null) {
      blurred += 1;
      tellStatus("camera.blurred");
      await pause(300);
    } else {
      blurred = 0;
      insteadOf = "";
      stillness.remember(video());
    }
  } finally {
    busy = false;
  }
  if (!pressed) return;
  pressed = false;
  await take(false);
}

function outline(corners) {
  const drawing = byId("camera-outline");
  const [width, height] = [video().videoWidth || 4, video().videoHeight || 3];
  drawing.setAttribute("viewBox", `0 0 ${width} ${height}`);
  if (!corners) return drawing.replaceChildren();
  const points = corners.map(([x, y]) => `${(x * width).toFixed(1)},${(y * height).toFixed(1)}`).join(" ");
  drawing.replaceChildren(svg("polygon", { points }));
}

// `reason`: none, refused, busy, gone; null when the picture is there.
function fail(reason) {
  problem = reason;
  if (reason) {
    outline(null);
    stillness.forget();
  }
  showProblem();
}

function showProblem() {
  byId("camera-problem").hidden = !problem;
  byId("camera-status").hidden = Boolean(problem);
  document.querySelector('[data-do="camera-take"]').disabled = Boolean(problem);
  if (!problem) return;
  const words = {
    none: ["camera.none", "camera.none_remedy"],
    refused: ["camera.refused", "camera.refused_remedy"],
    busy: ["camera.busy", "camera.busy_remedy"],
    gone: ["camera.gone", "camera.gone_remedy"],
  };
  const [reason, remedy] = words[problem];
  byId("camera-reason").textContent = t(reason);
  byId("camera-remedy").textContent = t(remedy);
}

function showChoice() {
  const { camera, width, height } = live.facts();
  byId("camera-name").textContent = camera || "–";
  byId("camera-size").textContent = width ? `${width}×${height}` : "–";
  byId("camera-auto").textContent = t(state?.choice.by_itself ? "camera.auto_on" : "camera.auto_off");
  document.querySelector('[data-do="camera-auto"]').setAttribute("aria-pressed", String(Boolean(state?.choice.by_itself)));
}

async function choose(change) {
  const now = live.facts();
  await post("camera/choice", { ...state.choice, camera: now.camera, width: now.width, height: now.height, ...change });
}

async function restart(change) {
  await choose(change);
  state.choice = { ...state.choice, ...change };
  round += 1;
  stillness.forget();
  run(round);
}

const numberOf = (id) => shots().findIndex((shot) => shot.id === id) + 1;

function drawStrip() {
  byId("shots").replaceChildren(...shots().map(card));
  const count = shots().length;
  byId("shots-none").hidden = count > 0;
  byId("shots-count").textContent = t("camera.count", { count });
  byId("camera-read-label").textContent = t("camera.read", { count });
  document.querySelector('[data-do="camera-read"]').disabled = count === 0;
  for (const name of ["turn", "cut", "again", "drop"]) {
    document.querySelector(`[data-do="camera-${name}"]`).disabled = count === 0;
  }
}

function card(shot, number) {
  const source = `/kiosk/camera/shots/${shot.id}/picture?${shot.revision}`;
  const item = el(
    "li",
    { data: { n: number }, attributes: { role: "option", "aria-selected": "false" } },
    el("b", {}, String(number + 1)),
    el("img", { src: source, alt: t("camera.page", { number: number + 1 }) }),
  );
  const marks = [];
  if (shot.cut === "whole") marks.push(t("camera.is_whole"));
  else if (!shot.found) marks.push(t("camera.not_found"));
  if (!shot.sharp) marks.push(t("camera.not_sharp"));
  if (marks.length) item.append(el("small", {}, marks.join(" · ")));
  return item;
}

function mark(number) {
  const cards = byId("shots").children;
  at = Math.max(0, Math.min(cards.length - 1, number));
  for (const one of cards) one.setAttribute("aria-selected", String(Number(one.dataset.n) === at));
  cards[at]?.scrollIntoView({ block: "nearest" });
  document.querySelector('[data-do="camera-cut"]').setAttribute("aria-pressed", String(chosen()?.cut === "sheet"));
}

const MOVES = { "↑": -1, "↓": 1, PgUp: -4, PgDn: 4, Home: -Infinity, End: Infinity };

export function key(name) {
  if (!(name in MOVES)) return false;
  mark(at + MOVES[name]);
  return true;
}

const chosen = () => shots()[at];

export const actions = {
  "camera-open": () => post("camera/open"),
  "camera-close": () => post("camera/close"),
  "camera-take": () => take(false),
  "camera-auto": () => choose({ by_itself: !state.choice.by_itself }),
  "camera-other": async () => {
    const all = await live.cameras();
    const now = all.findIndex((device) => device.label === live.facts().camera);
    if (all.length) await restart({ camera: all[(now + 1) % all.length].label, width: 0, height: 0 });
  },
  "camera-resize": async () => {
    const all = live.sizes();
    const { width, height } = live.facts();
    const now = all.findIndex(([across, down]) => across === width && down === height);
    if (!all.length) return;
    const [across, down] = all[(now + 1) % all.length];
    await restart({ width: across, height: down });
  },
  "camera-turn": () => post(`camera/shots/${chosen().id}/change`, { turn: 90 }),
  "camera-cut": () => post(`camera/shots/${chosen().id}/change`, { cut: chosen().cut === "sheet" ? "whole" : "sheet" }),
  "camera-again": () => {
    insteadOf = chosen().id;
    stillness.forget();
  },
  "camera-drop": () => post(`camera/shots/${chosen().id}/drop`),
  "camera-read": () => post("camera/read"),
};

byId("camera-stage").addEventListener("click", () => take(false));
byId("shots").addEventListener("click", (event) => {
  const item = event.target.closest("li");
  if (item) mark(Number(item.dataset.n));
});
