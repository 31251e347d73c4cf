// The admin page: a PIN, and then what the station knows of itself, panel by panel.
import { ask, dismiss, openDialog, tell } from "../dialogs.js";
import { byId } from "../dom.js";
import "../keyboard/keyboard.js";
import * as view from "../view.js";
import { speak, spoken, t } from "../words.js";
import { get, letGo, onLocked, post } from "./api.js";
import * as charts from "./charts.js";
import * as clock from "./clock.js";
import * as door from "./door.js";
import { keepFocus } from "./focus.js";
import * as logs from "./logs.js";
import * as panels from "./panels.js";

const EVERY_MS = 4000;
const STAY_MS = 30000;
const NAMES = [...document.querySelectorAll("#tabs button")].map((button) => button.dataset.panel);
const ALARM = "!";

let now = null;
let shown = "overview";
let touched = 0;
let wanted = null;

function complain(error) {
  if (error.code === "pin-wanted") return;
  if (error.code === undefined) console.error(error);
  tell(error.code ?? "internal-error");
}
const guarded = (action) => Promise.resolve().then(action).catch(complain);

async function enter(pinChanged = false) {
  byId("door").hidden = true;
  byId("desk").hidden = false;
  byId("can-leave").hidden = false;
  byId("can-change").hidden = door.isFixed();
  if (pinChanged) ask("pin-changed");
  await refresh();
  await show(shown);
}

async function refresh() {
  now = await get("now");
  byId("offline").hidden = true;
  const anew = speak(now.language);
  clock.tell(now);
  keepFocus(draw);
  if (anew) await show(shown); // it was switched on the station's own page
}

function draw() {
  const ready = now.engine_state === "ready";
  byId("engine").dataset.ready = String(ready);
  const reads = now.engines.find((engine) => engine.reads);
  byId("engine").textContent = ready ? t("engine.ready", { name: reads?.name ?? "" }) : t("engine.starting");
  byId("tab-alerts").dataset.mark = now.alerts.length ? ALARM : "";
  panels.overview(now);
  panels.alerts(now);
  panels.engines(now, putFirst);
  panels.tests(now);
  logs.sticks(now, complain);
  byId("power-not-ours").hidden = now.can_power_off;
  byId("power-actions").hidden = !now.can_power_off;
  byId("power-unsaved").hidden = !now.unsaved;
}

const ENTER = {
  overview: () => charts.load(),
  keys: () => panels.keys(now),
  logs: logs.show,
  clock: clock.show,
  network: panels.network,
};

async function show(name) {
  if (shown === "keys" && name !== "keys") panels.forgetFreshKeys();
  shown = name;
  for (const each of NAMES) {
    byId(each).hidden = each !== name;
    byId(`tab-${each}`).setAttribute("aria-selected", String(each === name));
  }
  if (now) await ENTER[name]?.(); // before the station's first answer: enter() does it after
}

async function putFirst(engine) {
  await guarded(() => post("engines/first", { engine }));
  await guarded(refresh);
}

function sure(title, lead, action) {
  byId("sure-title").textContent = t(title);
  byId("sure-lead").textContent = t(lead);
  wanted = action;
  ask("sure");
}

const powered = (action, title) => sure(title, now?.unsaved ? "power.unsaved" : "admin.power_sure", () => post("power", { action }));

async function speakOther() {
  const language = spoken() === "zh" ? "en" : "zh";
  await fetch("/kiosk/language", { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ language }) });
  speak(language);
  door.draw();
  if (byId("desk").hidden || !now) return;
  draw();
  await show(shown);
}

const actions = {
  show: (button) => show(button.dataset.panel),
  language: speakOther,
  ...view.actions,
  lock: async () => {
    byId("desk").hidden = true; // it asks for nothing more
    letGo();
    try {
      await post("door/leave");
    } catch (error) {
      byId("desk").hidden = false;
      throw error;
    }
    await door.show();
  },
  "change-pin": door.change,
  "keep-pin": () => enter(),
  station: () => location.assign("/"),
  dismiss,
  sure: async () => {
    const action = wanted;
    wanted = null;
    await action?.();
  },
  "span-hour": () => charts.load("hour"),
  "span-day": () => charts.load("day"),
  test: async () => {
    await post("selftest");
    await refresh();
  },
  "make-ocr": () => panels.makeKey("ocr"),
  "make-admin": () => panels.makeKey("admin"),
  "set-zone": async () => {
    await clock.setZone();
    await refresh();
  },
  "set-clock": async () => {
    await clock.setClock();
    await refresh();
    await clock.show();
  },
  reboot: () => powered("reboot", "admin.reboot_title"),
  poweroff: () => powered("poweroff", "power.title"),
};

document.addEventListener("click", (event) => {
  const button = event.target.closest?.("[data-do]");
  if (!button) return;
  if (button.closest("dialog")) dismiss();
  guarded(() => actions[button.dataset.do](button));
});

const isTyping = (target) => target instanceof Element && target.closest("input") !== null;
const SHORT = { Escape: "Esc", " ": "Space" };

// A button's visible hint is its shortcut.
document.addEventListener("keydown", (event) => {
  if (event.isComposing || event.ctrlKey || event.altKey || event.metaKey) return;
  const name = SHORT[event.key] ?? (event.key.length === 1 ? event.key.toUpperCase() : event.key);
  if (isTyping(event.target)) {
    if (name === "Esc") event.target.blur?.();
    return;
  }
  if (!byId("door").hidden && !openDialog() && door.key(event)) return event.preventDefault();
  if (event.target instanceof HTMLButtonElement && (name === "Enter" || name === "Space")) return;
  const places = openDialog() ? [openDialog()] : [byId("door"), byId(shown), byId("tabs"), document.querySelector("header")];
  for (const place of places) {
    for (const hint of place.querySelectorAll("button:not(:disabled) > kbd")) {
      if (hint.textContent === name && hint.offsetParent !== null) {
        event.preventDefault();
        hint.parentElement.click();
        return;
      }
    }
  }
});
document.addEventListener("contextmenu", (event) => event.preventDefault());

// The PIN is wanted again when nobody has touched the page for a while; drawing it anew is no touch.
for (const name of ["pointerdown", "keydown"]) {
  document.addEventListener(name, () => {
    if (byId("desk").hidden || performance.now() - touched < STAY_MS) return;
    touched = performance.now();
    post("door/stay").catch(() => {});
  });
}

onLocked(() => guarded(door.show));
door.onOpened(enter);
setInterval(clock.face, 1000);
setInterval(async () => {
  if (document.hidden || byId("desk").hidden) return;
  try {
    await refresh();
    if (shown === "overview") await charts.load();
  } catch (error) {
    byId("offline").hidden = error.code !== undefined;
  }
}, EVERY_MS);
guarded(door.show);
