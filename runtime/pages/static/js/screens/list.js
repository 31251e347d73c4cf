// The stick's images: choose some, or all, and read them.
import { get, post } from "../api.js";
import { remedy, reason } from "../dialogs.js";
import { byId, el } from "../dom.js";
import * as thumbnails from "../thumbnails.js";
import { bytes, t } from "../words.js";

let revision = null;
let files = [];
let chosen = new Set();
let at = 0;
let sticks = [];

export async function render(state) {
  sticks = state.sticks.filter((stick) => stick.state !== "ejected");
  showSticks(state.chosen);
  showEmpty(state.files);
  if (state.files.count !== null && state.files.revision !== revision) await load(state.files.revision);
  showCounts(state.files);
}

async function load(wanted) {
  revision = wanted;
  const answer = await get("files");
  if (answer.revision !== wanted) return;
  files = answer.files;
  chosen = new Set();
  at = 0;
  byId("files").replaceChildren(...files.map(row));
  mark(0);
  thumbnails.watch(document.querySelectorAll("#files .thumb"));
}

function row(file, number) {
  const name = el("span", { className: "name" }, file.name);
  if (file.folder) name.append(el("small", {}, file.folder));
  return el(
    "li",
    { data: { n: number }, attributes: { role: "option", "aria-selected": "false" } },
    el("span", { className: "box" }),
    el("span", { className: "thumb", data: { source: `/kiosk/files/${revision}/${number}/thumbnail` } }),
    name,
    el("span", { className: "size" }, bytes(file.size_bytes)),
  );
}

function showSticks(current) {
  const box = byId("sticks");
  box.hidden = sticks.length < 2 && sticks.every((stick) => !stick.label);
  box.replaceChildren(
    ...sticks.map((stick, number) => {
      const button = el("button", { type: "button", onclick: () => post("stick", { id: stick.id }) });
      button.append(stick.label || t("stick.unnamed"), ` ${bytes(stick.size_bytes)}`);
      if (sticks.length > 1) button.append(el("kbd", {}, String(number + 1)));
      button.setAttribute("aria-pressed", String(stick.id === current));
      return button;
    }),
  );
}

function showEmpty(state) {
  const empty = byId("list-empty");
  byId("files").hidden = state.count === null || state.count === 0;
  empty.hidden = !byId("files").hidden;
  if (state.problem) empty.textContent = `${reason(state.problem)} · ${remedy(state.problem)}`;
  else empty.textContent = t(state.count === null ? "list.looking" : "list.none");
}

function showCounts(state = null) {
  const count = byId("list-count");
  count.textContent = files.length ? t("list.count", { count: files.length, chosen: chosen.size }) : "";
  if (state?.truncated) count.textContent += ` · ${t("list.truncated", { count: files.length })}`;
  const wanted = chosen.size || 1;
  byId("read-label").textContent = t(chosen.size ? "action.read" : "action.read_this", { count: wanted });
  document.querySelector('[data-do="read"]').disabled = byId("files").hidden;
  document.querySelector('[data-do="choose-all"]').disabled = byId("files").hidden;
}

const rows = () => byId("files").children;

function mark(number) {
  if (!files.length) return;
  rows()[at]?.classList.remove("at");
  at = Math.min(files.length - 1, Math.max(0, number));
  rows()[at].classList.add("at");
  rows()[at].scrollIntoView({ block: "nearest" });
}

function choose(number, wanted) {
  if (wanted) chosen.add(number);
  else chosen.delete(number);
  rows()[number].setAttribute("aria-selected", String(wanted));
  rows()[number].querySelector(".box").textContent = wanted ? "✓" : "";
}

function toggle(number) {
  choose(number, !chosen.has(number));
  showCounts();
}

const MOVES = { "↑": -1, "↓": 1, PgUp: -6, PgDn: 6, Home: -Infinity, End: Infinity };

export function key(name) {
  if (name in MOVES) mark(at + MOVES[name]);
  else if (name === "Space" && files.length) toggle(at);
  else return false;
  return true;
}

export const actions = {
  "choose-all": () => {
    const all = chosen.size < files.length;
    files.forEach((_, number) => choose(number, all));
    showCounts();
  },
  read: () => {
    thumbnails.stop();
    const numbers = chosen.size ? [...chosen].sort((a, b) => a - b) : [at];
    return post("read", { revision, files: numbers });
  },
};

export function enter() {
  byId("files").focus({ preventScroll: true });
}

export const leave = thumbnails.stop;

byId("files").addEventListener("click", (event) => {
  const item = event.target.closest("li");
  if (!item) return;
  mark(Number(item.dataset.n));
  toggle(at);
});
