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
  typed = "";
  chosen = null;
  byId("desk").hidden = true;
  byId("can-leave").hidden = true;
  byId("door").hidden = false;
  byId("door-title").focus();
  draw();
}

const waiting = () => Math.max(0, Math.ceil((waitsUntil - performance.now()) / 1000));

export function draw() {
  const step = state.state !== "unset" ? "enter" : chosen === null ? "choose" : "repeat";
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
  typed = "";
  if (state.state === "unset" && chosen === null) {
    chosen = pin;
    return;
  }
  if (state.state === "unset" && chosen !== pin) {
    chosen = null;
    wrong = "admin_door.differ";
    return;
  }
  busy = true;
  draw();
  try {
    await post(state.state === "unset" ? "door/choose" : "door/enter", { pin });
    await opened();
  } catch (error) {
    chosen = null;
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
