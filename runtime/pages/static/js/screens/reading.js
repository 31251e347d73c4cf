// The queue: every page with what becomes of it, what the engine writes now, and how long it will take.
import { get, post } from "../api.js";
import { ask, reason, remedy } from "../dialogs.js";
import { byId, el, fill } from "../dom.js";
import { line, rows } from "../rows.js";
import { thumb } from "../thumbnails.js";
import { duration, t } from "../words.js";

let revision = null;
let reading = null;
let received = 0;
let pages = [];
let at = 0;
let follows = true;
let locked = null;

const list = rows(byId("reading-pages"), row);

export async function render(state, spokenAnew) {
  reading = state.reading;
  received = performance.now();
  if (!reading) return;
  show();
  tick();
  if (reading.revision !== revision) {
    revision = reading.revision;
    await load();
  } else if (spokenAnew) list.set(pages.length);
  for (const work of reading.work) showWork(work);
}

// Rows that look as before stay as they are: the list may be long, and a person may be at one of them.
async function load() {
  const before = pages;
  pages = (await get("pages")).pages;
  if (pages.length !== before.length) list.set(pages.length);
  else pages.forEach((page, n) => page.status !== before[n].status && list.update(n));
  if (follows && reading.current) mark(reading.current.n);
  showButtons();
}

function show() {
  const { current } = reading;
  byId("reading-count").textContent = t("reading.count", { done: reading.finished, total: reading.batch });
  if (reading.failed) byId("reading-count").append(` · ${t("reading.failed", { count: reading.failed })}`);
  fill("batch-bar", (reading.finished + share(current)) / Math.max(1, reading.batch));
  fill("page-bar", share(current));
  const waits = reading.paused && !current;
  byId("reading-name").textContent = current ? nameOf(current) : reading.opening ?? "";
  byId("reading-stage").textContent = waits ? t("reading.paused") : stage(current);
  byId("writing").hidden = !current?.text;
  if (current?.text) {
    byId("writing").textContent = current.text;
    byId("writing").scrollTop = byId("writing").scrollHeight;
  }
  showButtons();
}

function showButtons() {
  const hide = (action, hidden) => {
    document.querySelector(`#reading [data-do="${action}"]`).hidden = hidden;
  };
  hide("pause", reading.paused);
  hide("resume", !reading.paused);
  hide("look-review", reading.read === 0);
  hide("retry-failed", !pages.some(mayRetry));
}

const share = (work) => (work?.total ? work.done / work.total : 0);
const nameOf = ({ name, place, sheets }) => (sheets > 1 ? t("reading.sheet", { name, place: place + 1, sheets }) : name);
const mayRetry = ({ status }) => status === "failed" || status === "stopped";

function stage(work) {
  if (!work) return reading.opening ? t("reading.opening") : "";
  const key = work.stage === "recognise" && work.total ? "stage.recognise_lines" : `stage.${work.stage}`;
  const told = t(key, { done: work.done, total: work.total });
  return reading.paused ? `${told} ${t("reading.pausing")}` : told;
}

// Called once a second while this screen is shown.
export function tick() {
  if (!reading) return;
  const passed = (performance.now() - received) / 1000;
  byId("reading-time").textContent = t("reading.elapsed", { time: duration(reading.elapsed_s + passed) }) + remaining(passed);
  const page = reading.current ? t("reading.page_elapsed", { time: duration(reading.current.elapsed_s + passed) }) : "";
  byId("reading-page-time").textContent = page;
}

function remaining(passed) {
  const left = reading.left_s === null || reading.paused ? 0 : reading.left_s - passed;
  // Used up without a word from the station: a page outlasts what was expected, and nobody knows by how much.
  return left <= 0 ? "" : ` · ${t("reading.remaining", { time: duration(Math.max(1, left)) })}`;
}

function row(n) {
  const page = pages[n];
  const item = line(
    { id: `page-${n}`, selected: n === at, data: { status: page.status, n } },
    thumb(`/kiosk/pages/${n}/thumbnail${page.status === "read" ? "?read" : ""}`),
    el("span", { className: "name" }, nameOf(page), el("small", {}, told(page)), el("i", { className: "part" })),
    button(page, n),
  );
  if (n === at) item.classList.add("at");
  return item;
}

function told({ status, code }) {
  return code ? `${reason(code)} · ${remedy(code)}` : t(`status.${status}`);
}

function button(page, n) {
  const made = (key, act) => {
    const does = el("button", { type: "button", tabIndex: -1, onclick: act }, t(key));
    does.ariaLabel = `${t(key)} ${nameOf(page)}`;
    return does;
  };
  if (page.code === "locked-document") return made("action.password", () => askPassword(n, page.name));
  if (mayRetry(page)) return made("action.retry", () => post("read/again", { pages: [n] }));
  if (page.status === "read") return made("action.look", () => lookAt(n));
  return made("action.take_out", () => post("read/cancel", { page: n }));
}

function showWork(work) {
  const item = list.row(work.n);
  if (item) item.querySelector(".part").style.width = `${Math.round(100 * share(work))}%`;
}

function mark(n) {
  point(false);
  at = Math.max(0, Math.min(pages.length - 1, n));
  list.reveal(at);
  point(true);
  byId("reading-pages").setAttribute("aria-activedescendant", `page-${at}`);
}

function point(here) {
  list.row(at)?.classList.toggle("at", here);
  list.row(at)?.firstElementChild.setAttribute("aria-selected", String(here));
}

export function askPassword(n, name) {
  locked = n;
  byId("password-name").textContent = name;
  byId("password").value = "";
  ask("ask-password");
  byId("password").focus();
}

async function lookAt(n) {
  document.dispatchEvent(new CustomEvent("look-at-page", { detail: n }));
  await post("look", { at: "review" });
}

const MOVES = { "↑": -1, "↓": 1, PgUp: -6, PgDn: 6, Home: -Infinity, End: Infinity };

export function key(name) {
  if (name in MOVES) {
    follows = false;
    mark(at + MOVES[name]);
  } else if (name === "Del") post("read/cancel", { page: at });
  else if (name === "Enter" && pages[at]?.status === "read") lookAt(at);
  else return false;
  return true;
}

const unlock = () => {
  const password = byId("password").value;
  return password ? post(`pages/${locked}/unlock`, { password }) : undefined;
};

export const actions = {
  stop: () => post("read/stop"),
  pause: () => post("read/pause", { paused: true }),
  resume: () => post("read/pause", { paused: false }),
  "retry-failed": () => post("read/again", { pages: pages.flatMap((page, n) => (mayRetry(page) ? [n] : [])) }),
  "look-review": () => lookAt(pages.findIndex((page) => page.status === "read")),
  "look-queue": () => post("look", { at: "queue" }),
  "add-more": () => post("look", { at: "list" }),
  unlock,
};

export const enter = () => {
  revision = null;
  pages = [];
  list.set(0);
  follows = true;
  byId("reading-pages").focus({ preventScroll: true });
};

byId("reading-pages").addEventListener("click", (event) => {
  const item = event.target.closest("li");
  if (!item) return;
  follows = false;
  mark(Number(item.dataset.n));
});
byId("password").addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.isComposing) return;
  event.preventDefault();
  document.querySelector('#ask-password [data-do="unlock"]').click();
});
