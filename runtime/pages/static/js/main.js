// Draws what the station says. The truth is there; a page that is loaded again shows the same.
import { post } from "./api.js";
import { ask, dismiss, openDialog, tell } from "./dialogs.js";
import { byId } from "./dom.js";
import { accept } from "./dropping.js";
import { keep } from "./kept.js";
import { listen } from "./keys.js";
import * as keyboard from "./keyboard/keyboard.js";
import * as batch from "./screens/batch.js";
import * as choice from "./screens/choice.js";
import * as camera from "./screens/camera.js";
import * as forgetting from "./screens/forgetting.js";
import * as exports from "./screens/exports.js";
import * as list from "./screens/list.js";
import * as printing from "./screens/printing.js";
import * as reading from "./screens/reading.js";
import * as review from "./screens/review.js";
import * as scanner from "./screens/scanner.js";
import * as saving from "./screens/saving.js";
import * as start from "./screens/start.js";
import * as trouble from "./screens/trouble.js";
import * as vault from "./screens/vault.js";
import { again } from "./thumbnails.js";
import * as view from "./view.js";
import { duration, second, speak, spoken, t, tag } from "./words.js";

const SCREENS = { camera, scanner, list, reading, review, saving, saved: saving, "save-failed": saving, trouble };
const OFFLINE_AFTER_MS = 4000;

let state = null;
let received = 0;
let shown = "insert";

const sectionOf = ({ screen, saving: save }) =>
  screen === "saving" && save.state === "failed" ? "save-failed" : screen;

function show(next) {
  state = next;
  received = performance.now();
  const spokenAnew = speak(state.language);
  showEngine();
  showNotice();
  batch.show(state);
  saving.remember(state);
  exports.remember(state, spokenAnew);
  printing.remember(state);
  byId("no-helper").hidden = state.helper !== "down";
  byId("no-sticks").hidden = state.helper !== "absent";
  byId("ejected").hidden = !state.sticks.some((stick) => stick.state === "ejected");
  const wanted = sectionOf(state);
  const from = shown;
  if (wanted !== from) {
    SCREENS[from]?.leave?.();
    byId(from).hidden = true;
    byId(wanted).hidden = false;
    document.body.dataset.screen = shown = wanted;
    byId("choice").hidden = !("choice" in byId(wanted).dataset);
    if (!openDialog()?.matches("#keys, [data-stays]")) dismiss();
    const enter = SCREENS[wanted]?.enter;
    if (enter) enter(from);
    else byId(wanted).querySelector("h1").focus();
  }
  vault.render(state, spokenAnew);
  Promise.resolve(SCREENS[wanted]?.render(state, spokenAnew)).catch(complain);
  choice.render(state, spokenAnew).catch(complain);
  forgetting.render(state);
  start.render(state, spokenAnew);
  start.tick(shown);
}

function showEngine() {
  const place = byId("engine");
  const ready = state.engine.state === "ready";
  place.dataset.ready = String(ready);
  const since = state.engine.since_s + (performance.now() - received) / 1000;
  byId("has-trouble").hidden = state.troubles.list.length === 0 || state.screen === "trouble";
  place.textContent = ready ? t("engine.ready", { name: state.engine.name ?? "" }) : `${t("engine.starting")} ${duration(since)}`;
}

function showNotice() {
  const place = byId("notice");
  place.hidden = !state.notice;
  if (!state.notice) return;
  const small = document.createElement("small");
  const count = { count: state.notice_count };
  small.textContent = t(state.notice, count, second());
  small.lang = tag(second());
  place.firstElementChild.replaceChildren(t(state.notice, count), small);
}

// Something the person asked for and did not get. A stick that is gone says so by itself.
function complain(error) {
  if (error.code === undefined) console.error(error);
  tell(error.code ?? "internal-error");
}

const actions = {
  ...batch.actions,
  ...choice.actions,
  ...camera.actions,
  ...scanner.actions,
  ...forgetting.actions,
  ...list.actions,
  ...review.actions,
  ...saving.actions,
  ...exports.actions,
  ...printing.actions,
  ...trouble.actions,
  ...vault.actions,
  ...reading.actions,
  language: () => post("language", { language: spoken() === "zh" ? "en" : "zh" }),
  help: () => ask("keys"),
  keyboard: keyboard.show,
  ...view.actions,
  admin: () => location.assign("/admin"),
  power: () => {
    if (!state?.can_power_off) return tell("not-available");
    byId("power-unsaved").hidden = !state.reading?.unsaved;
    ask("ask-power");
  },
  "power-off": () => post("power", { action: "poweroff" }),
  restart: () => post("power", { action: "reboot" }),
  "close-notice": () => post("notice/close"),
  dismiss,
};

document.addEventListener("click", (event) => {
  const button = event.target.closest?.("[data-do]");
  if (!button) return;
  if (button.closest("dialog")) dismiss();
  Promise.resolve()
    .then(() => actions[button.dataset.do]())
    .catch(complain);
});

accept(complain);
keep();
listen(() => ({ section: byId(shown), key: SCREENS[shown]?.key }));

// One text a second, and only while time is what the person is waiting for.
setInterval(() => {
  if (!state || document.hidden) return;
  if (state.engine.state !== "ready") showEngine();
  if (shown === "reading") reading.tick();
  forgetting.tick();
  start.tick(shown);
}, 1000);

let silence = null;
const events = new EventSource("/kiosk/events");
events.addEventListener("state", (event) => {
  clearTimeout(silence);
  silence = null;
  byId("offline").hidden = true;
  show(JSON.parse(event.data));
});
events.addEventListener("open", again);
events.addEventListener("error", () => {
  silence ??= setTimeout(() => {
    byId("offline").hidden = false;
  }, OFFLINE_AFTER_MS);
});
