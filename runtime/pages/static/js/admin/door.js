// The PIN: by a pad that a finger hits, or by the digits of a keyboard. The first visitor chooses one, typed twice.
import { byId, el } from "../dom.js";
import { t } from "../words.js";
import { get, post } from "./api.js";

const LEAST = 6;
const MOST = 12;
const KEYS = ["1", "2", "3", "4", "5", "6", "7", "8", "9", "⌫", "0", "↵"];

let state = { state: "locked", wait_s: 0 };
let typed = "";
let chosen = null;
let changing = false;
let old = null; // while the PIN is changed
let wrong = "";
let waitsUntil = 0;
let busy = false;
let opened = () => {};

export const onOpened = (action) => {
  opened = action;
};

export async function show() {
  state = await get("door");
  if (state.state === "open") return opened();
  waitsUntil = performance.now() + 1000 * state.wait_s;
  changing = false;
  stand();
}

// The old PIN, then the new one twice; the pad is the door's.
export function change() {
  changing = true;
  stand();
}

export const isFixed = () => state.fixed;

function stand() {
  typed = "";
  chosen = old = null;
  wrong = "";
  byId("desk").hidden = true;
  byId("can-change").hidden = true;
  byId("can-leave").hidden = true;
  byId("keep-pin").hidden = !changing;
  byId("door").hidden = false;
  byId("door-title").focus();
  draw();
}

function stepNow() {
  if (changing && old === null) return "old";
  if (!changing && state.state !== "unset") return "enter";
  return chosen === null ? "choose" : "repeat";
}

const waiting = () => Math.max(0, Math.ceil((waitsUntil - performance.now()) / 1000));

export function draw() {
  const step = stepNow();
  byId("door-title").textContent = t(`admin_door.${step}`);
  byId("door-lead").textContent = t(`admin_door.${step}_lead`);
  byId("pin-dots").textContent = "●".repeat(typed.length) || "·".repeat(LEAST);
  byId("pin-dots").ariaLabel = t("admin.pin_typed", { count: typed.length });
  byId("door-wrong").textContent = waiting() ? t("admin_door.wait", { s: waiting() }) : wrong ? t(wrong) : "";
  for (const button of byId("pad").children) button.disabled = busy || waiting() > 0;
}

export function press(key) {
  if (busy || waiting()) return;
  wrong = "";
  if (key === "⌫") typed = typed.slice(0, -1);
  else if (key === "↵") {
    if (typed.length >= LEAST) send();
    else if (typed.length) wrong = "admin_door.short";
  } else if (typed.length < MOST) typed += key;
  draw();
}

async function send() {
  const pin = typed;
  const step = stepNow();
  typed = "";
  if (step === "old") {
    old = pin;
    return;
  }
  if (step === "choose") {
    chosen = pin;
    return;
  }
  if (step === "repeat" && chosen !== pin) {
    chosen = null;
    wrong = "admin_door.differ";
    return;
  }
  busy = true;
  draw();
  try {
    if (changing) await post("door/change", { old, pin });
    else await post(step === "enter" ? "door/enter" : "door/choose", { pin });
    const changed = changing;
    changing = busy = false; // keys are heeded again, whatever the desk still waits for
    await opened(changed);
  } catch (error) {
    chosen = null;
    if (error.code !== "pin-weak") old = null;
    wrong = { "pin-wrong": "admin_door.wrong", "pin-weak": "admin_door.weak", "pin-wait": "" }[error.code] ?? "problem.internal-error";
    waitsUntil = performance.now() + 1000 * error.wait_s;
    if (error.code === "pin-wanted") await show();
  } finally {
    busy = false;
    draw();
  }
}

// Returns whether the key was one of the door's.
export function key(event) {
  const name = { Backspace: "⌫", Enter: "↵" }[event.key] ?? event.key;
  if (!KEYS.includes(name)) return false;
  press(name);
  return true;
}

byId("pad").append(
  ...KEYS.map((name) => el("button", { type: "button", onclick: () => press(name), className: name === "↵" ? "main" : "" }, name)),
);
setInterval(() => {
  if (!byId("door").hidden) draw();
}, 500);
