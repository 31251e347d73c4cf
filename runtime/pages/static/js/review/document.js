// What has no lines: a document as it looks, and beside it the text or LaTeX that it is written in.
import { byId, el } from "../dom.js";
import { t } from "../words.js";
import { drawIn } from "./formulas.js";

const WAIT_MS = 1500;

let page = null;
let timer = null;
let on = { save() {}, step() {} };

export const id = "source";
export const holds = (target) => target === "text";
export const current = () => "text";
export const marks = () => [];
export const mark = () => {};
export const hover = () => {};

export function listen(handlers) {
  on = handlers;
}

const field = () => byId("source-text");

export function show(now, same) {
  page = now;
  const look = byId("rendered");
  look.hidden = !page.html;
  if (page.html) {
    look.innerHTML = page.html; // sanitised by the station
    drawIn(look).catch((error) => look.append(el("p", { className: "warn" }, t("review.no_formulas", { file: error.message }))));
  } else look.replaceChildren();
  const typing = document.activeElement === field();
  if (!same || (!typing && timer === null)) field().value = page.text;
  const changed = page.text !== page.text_read;
  byId("source-was").hidden = !changed;
  byId("source-was-text").textContent = changed ? page.text_read : "";
}

export function key(name) {
  if (name !== "Enter") return false;
  edit();
  return true;
}

export function edit() {
  field().focus();
}

// What is typed reaches the station when the hand rests, so that the page beside it follows.
export function keep() {
  clearTimeout(timer);
  timer = null;
  if (page && field().value !== page.text) on.save("text", field().value);
}

field().addEventListener("input", () => {
  clearTimeout(timer);
  timer = setTimeout(keep, WAIT_MS);
});
field().addEventListener("blur", keep);
field().addEventListener("keydown", (event) => {
  if (event.isComposing) return;
  if (["F2", "F9", "F10"].includes(event.key) || (event.ctrlKey && event.key.toLowerCase() === "s")) return keep();
  if (event.key !== "Escape" && event.key !== "Tab") return;
  event.preventDefault();
  event.stopPropagation();
  keep();
  byId("source").focus({ preventScroll: true });
  if (event.key === "Tab") on.step(event.shiftKey ? -1 : 1);
});
