// The stick's files: look for them, choose some, or all, and read them.
import { get, post } from "../api.js";
import { remedy, reason } from "../dialogs.js";
import { byId, el } from "../dom.js";
import { found, show as showFolders } from "../folders.js";
import { line, rows } from "../rows.js";
import * as thumbnails from "../thumbnails.js";
import { bytes, t } from "../words.js";
import * as ranges from "./ranges.js";

let revision = null;
let stick = null;
let files = [];
let view = [];
let chosen = new Set();
let at = 0;
let sticks = [];
let folder = "";
let counts = null;

const list = rows(byId("files"), (place) => row(view[place], place));

export async function render(state, spokenAnew) {
  sticks = state.sticks.filter((one) => one.state !== "ejected");
  stick = state.chosen;
  counts = state.files;
  showSticks();
  if (state.files.count !== null && state.files.revision !== revision) await load(state.files.revision);
  else if (spokenAnew) list.set(view.length);
  showEmpty(state.files);
  showCounts();
}

async function load(wanted) {
  revision = wanted;
  const answer = await get("files");
  if (answer.revision !== wanted) return;
  files = answer.files;
  chosen = new Set();
  folder = "";
  byId("find").value = "";
  ranges.forget(revision);
  look();
}

function look() {
  view = found(files, folder, byId("find").value.trim());
  at = 0;
  showFolders(files, folder, open);
  byId("files").scrollTop = 0;
  list.set(view.length);
  mark(0);
}

function open(path) {
  folder = path;
  look();
  if (counts) showEmpty(counts);
  showCounts();
  byId("files").focus({ preventScroll: true });
}

function row(number, place) {
  const file = files[number];
  const name = el("span", { className: "name" }, file.name);
  if (file.folder) name.append(el("small", {}, file.folder));
  const wanted = chosen.has(number);
  const item = line(
    { id: `file-${place}`, selected: wanted, data: { n: place } },
    el("span", { className: "box" }, wanted ? "✓" : ""),
    thumbnails.thumb(`/kiosk/files/${revision}/${number}/thumbnail`),
    name,
    el("span", { className: "size" }, ranges.has(file.name) ? ranges.chip(number) : "", bytes(file.size_bytes)),
  );
  if (place === at) item.classList.add("at");
  return item;
}

function showSticks() {
  const box = byId("sticks");
  box.hidden = sticks.length < 2 && sticks.every((one) => !one.label);
  box.replaceChildren(
    ...sticks.map((one, number) => {
      const button = el("button", { type: "button", onclick: () => post("stick", { id: one.id }) });
      button.append(one.label || t("stick.unnamed"), ` ${bytes(one.size_bytes)}`);
      if (sticks.length > 1) button.append(el("kbd", {}, String(number + 1)));
      button.setAttribute("aria-pressed", String(one.id === stick));
      return button;
    }),
  );
}

function showEmpty(state) {
  const empty = byId("list-empty");
  byId("files").hidden = state.count === null || view.length === 0;
  empty.hidden = !byId("files").hidden;
  byId("find").hidden = !state.count || state.count < 2;
  if (state.problem) empty.textContent = `${reason(state.problem)} · ${remedy(state.problem)}`;
  else if (state.count) empty.textContent = t("list.not_found");
  else empty.textContent = t(state.count === null ? "list.looking" : "list.none");
}

function showCounts() {
  const count = byId("list-count");
  count.textContent = files.length ? t("list.count", { count: view.length, chosen: chosen.size }) : "";
  if (counts?.truncated) count.textContent += ` · ${t("list.truncated", { count: files.length })}`;
  const wanted = chosen.size || 1;
  byId("read-label").textContent = t(chosen.size ? "action.read" : "action.read_this", { count: wanted });
  const nothing = byId("files").hidden && !chosen.size;
  document.querySelector('[data-do="read"]').disabled = nothing;
  document.querySelector('[data-do="choose-all"]').disabled = byId("files").hidden;
  document.querySelector('[data-do="choose-pages"]').hidden = !view.length || !ranges.has(files[view[at]].name);
}

function mark(place) {
  if (!view.length) return;
  list.row(at)?.classList.remove("at");
  at = Math.min(view.length - 1, Math.max(0, place));
  list.reveal(at);
  list.row(at)?.classList.add("at");
  byId("files").setAttribute("aria-activedescendant", `file-${at}`);
}

function toggle(place) {
  const number = view[place];
  if (!chosen.delete(number)) chosen.add(number);
  list.update(place);
  showCounts();
}

const MOVES = { "↑": -1, "↓": 1, PgUp: -6, PgDn: 6, Home: -Infinity, End: Infinity };

export function key(name) {
  if (name in MOVES) {
    mark(at + MOVES[name]);
    showCounts();
  } else if (name === "Space" && view.length) toggle(at);
  else if (name === "/" && !byId("find").hidden) byId("find").focus();
  else if (name === "Esc" && folder) open("");
  else return false;
  return true;
}

export const actions = {
  "choose-all": () => {
    const all = view.some((number) => !chosen.has(number));
    for (const number of view) {
      if (all) chosen.add(number);
      else chosen.delete(number);
    }
    list.set(view.length);
    showCounts();
  },
  "choose-pages": () => ranges.ask_for(revision, view[at], files[view[at]].name, () => list.update(at)),
  read: async () => {
    thumbnails.stop();
    const numbers = chosen.size ? [...chosen].sort((a, b) => a - b) : [view[at]];
    await post("read", { revision, files: numbers, pages: ranges.of(numbers) });
    chosen = new Set();
    list.set(view.length);
  },
  "watch-folder": () => post("watch", { stick, folder, save: false }),
};

export function enter() {
  byId("files").focus({ preventScroll: true });
}

export const leave = thumbnails.stop;

byId("files").addEventListener("click", (event) => {
  const item = event.target.closest("li");
  if (!item) return;
  mark(Number(item.dataset.n));
  if (event.target.closest(".range")) actions["choose-pages"]();
  else toggle(at);
});
byId("find").addEventListener("input", () => {
  look();
  if (counts) showEmpty(counts);
  showCounts();
});
byId("find").addEventListener("keydown", (event) => {
  if (event.isComposing || !["Enter", "Escape", "ArrowDown"].includes(event.key)) return;
  event.preventDefault();
  if (event.key === "Escape") {
    event.target.value = "";
    open(folder);
  }
  enter();
});
