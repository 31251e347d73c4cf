// The pages that were read, one at a time: its picture beside its text.
import { get, post } from "../api.js";
import { ask, reason, remedy } from "../dialogs.js";
import { byId } from "../dom.js";
import { duration, t } from "../words.js";
import * as lines from "./lines.js";
import * as sheet from "./sheet.js";

let revision = null;
let number = 0;
let pages = [];
let page = null;
let unsaved = false;

export async function render(state, spokenAnew) {
  if (!state.reading) return;
  unsaved = state.reading.unsaved;
  if (state.reading.revision !== revision) {
    revision = state.reading.revision;
    pages = (await get("pages")).pages;
    const kept = number < pages.length ? number : 0;
    await open(kept);
  } else if (spokenAnew && page) {
    show();
  }
}

async function open(wanted) {
  number = wanted;
  const fetched = await get(`pages/${wanted}`);
  if (number !== wanted) return;
  page = fetched;
  show();
}

function show() {
  const failed = page.status !== "read";
  byId("review-name").textContent = page.name;
  byId("review-number").textContent = `${number + 1} / ${pages.length}`;
  byId("review-facts").textContent = failed ? "" : facts();
  document.querySelector('[data-do="previous-page"]').disabled = number === 0;
  document.querySelector('[data-do="next-page"]').disabled = number === pages.length - 1;
  document.querySelector('#review [data-do="save"]').disabled = !pages.some((one) => one.status === "read");
  byId("page-problem").hidden = !failed;
  if (failed) {
    const stopped = page.status === "stopped";
    byId("page-reason").textContent = stopped ? t("status.stopped") : reason(page.code);
    byId("page-remedy").textContent = stopped ? t("review.stopped") : remedy(page.code);
  }
  byId("no-lines").hidden = failed || page.lines.length > 0;
  byId("lines").hidden = failed || page.lines.length === 0;
  sheet.show(page, `/kiosk/pages/${number}/picture?${revision}`, lines.mark, lines.hover);
  lines.show(page, number);
  if (page.lines.length) lines.mark(0);
}

function facts() {
  const doubtful = page.lines.filter((line) => line.doubtful).length;
  const words = [t("review.lines", { count: page.lines.length })];
  if (doubtful) words.push(t("review.doubtful", { count: doubtful }));
  if (page.rotation) words.push(t("review.turned", { degrees: page.rotation }));
  words.push(t("review.engine", { engine: page.engine, time: duration(page.elapsed_s) }));
  return words.join(" · ");
}

const turn = (step) => {
  const wanted = number + step;
  if (wanted >= 0 && wanted < pages.length) return open(wanted);
};

export function key(name) {
  if (!page) return false;
  if (name === "↑" || name === "↓") lines.mark(lines.current() + (name === "↓" ? 1 : -1));
  else if (name === "Home") lines.mark(0);
  else if (name === "End") lines.mark(Infinity);
  else if (name === "Enter") lines.edit();
  else if (name === "N") lines.nextDoubtful();
  else if (name === "Z") sheet.zoom(lines.current());
  else return false;
  return true;
}

export const actions = {
  "previous-page": () => turn(-1),
  "next-page": () => turn(1),
  "read-again": () => post("read/again", { pages: [number] }),
  back: () => (unsaved ? ask("ask-discard") : post("read/close")),
  discard: () => post("read/close"),
};

export function enter(from) {
  if (from === "list" || from === "insert") number = 0;
  revision = null;
  byId("lines").focus({ preventScroll: true });
}
