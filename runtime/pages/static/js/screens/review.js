// The pages that were read: picture and result side by side, the doubtful places one after the other.
import { get, post } from "../api.js";
import { ask, reason, remedy, tell } from "../dialogs.js";
import { byId, el } from "../dom.js";
import * as source from "../review/document.js";
import { beforeSettling, send, settled } from "../review/edits.js";
import * as fields from "../review/fields.js";
import { VIEWS } from "../review/layout.js";
import * as lines from "../review/lines.js";
import * as replace from "../review/replace.js";
import { pictureOf } from "../review/strip.js";
import * as tables from "../review/table.js";
import * as viewer from "../review/viewer.js";
import { duration, t } from "../words.js";
import { askPassword } from "./reading.js";

const PANES = { fields, lines, tables, source };
const GATHER_MS = 200;

let revision = null; // of pages and of edits, as they were listed
let number = 0;
let pages = [];
let page = null;
let stamp = "";
let pane = null;
let chosen = null; // the pane that the clerk chose, kept from page to page where there is one
let view = "one";
let step = 0; // where in the page's doubts the clerk is
let unsaved = false;
let running = false;
let timer = null;
let still = false;

export async function render(state, spokenAnew) {
  if (!state.reading) return;
  ({ unsaved, running } = state.reading);
  byId("review-undo").disabled = !state.review.undo;
  byId("review-redo").disabled = !state.review.redo;
  const now = `${state.reading.revision}-${state.review.revision}`;
  if (revision === null) {
    revision = now;
    await list();
  } else if (now !== revision) {
    revision = now;
    timer ??= setTimeout(() => list().catch((error) => tell(error.code)), GATHER_MS);
  }
  if (!spokenAnew || !page) return;
  show(true);
  replace.speakAnew();
}

// Pages may come and change at any time; the clerk stays where they are.
async function list() {
  timer = null;
  pages = (await get("review")).pages;
  if (number >= pages.length) number = 0;
  if (!pages.length) return;
  if (!page || pages[number].stamp !== stamp) await open(number);
  else {
    head();
    await viewer.show(pages, number, page, marks(), { keep: true });
  }
}

// `scrolled`: the picture shows that page already, and stays where it is.
async function open(wanted, target = null, scrolled = false) {
  await settled();
  number = wanted;
  const fetched = await get(`pages/${wanted}`);
  if (number !== wanted) return;
  // Asked only now: another may have fetched it meanwhile, and the clerk have begun on it.
  const same = page !== null && page.id === fetched.id && fetched.stamp.split("-")[2] === stamp.split("-")[2];
  still = scrolled;
  take(fetched, same);
  still = false;
  if (target) mark(target);
}

// The page as the station has it now.
function take(fetched, same) {
  page = fetched;
  stamp = page.stamp;
  if (pages[number]) Object.assign(pages[number], { stamp, doubts: page.doubts.length });
  show(same);
}

function show(same) {
  const read = page.status === "read";
  head();
  const failed = page.status === "failed" || page.status === "stopped";
  byId("page-problem").hidden = !failed;
  if (failed) {
    const stopped = page.status === "stopped";
    document.querySelector('[data-do="give-password"]').hidden = page.code !== "locked-document";
    byId("page-reason").textContent = stopped ? t("status.stopped") : reason(page.code);
    byId("page-remedy").textContent = stopped ? t("review.stopped") : remedy(page.code);
  }
  byId("page-coming").hidden = read || failed;
  if (!read && !failed) byId("page-coming").textContent = t(`status.${page.status}`);
  const there = panes();
  byId("no-lines").hidden = !read || there.length > 0;
  warn();
  for (const each of there) PANES[each].show(page, same, pictureOf(number, page));
  choose(there.includes(chosen) ? chosen : (same && there.includes(pane) ? pane : there[0]) ?? null, same);
  offerToConfirm();
  if (!same) {
    step = -1;
    const first = page.doubts.find(({ target }) => PANES[pane]?.holds(target));
    if (pane === "lines") mark("line:0");
    else if (pane === "fields") mark(first?.target ?? `field:${page.fields.fields[0]?.key}`);
  }
}

function panes() {
  if (page.status !== "read") return [];
  const there = [];
  if (page.fields?.fields.length) there.push("fields");
  if (page.tables.length && page.task !== "document") there.push("tables");
  if (page.lines.length) there.push("lines");
  else if (page.text) there.push("source");
  if (page.tables.length && page.task === "document") there.push("tables");
  return there;
}

function choose(wanted, same = false) {
  pane = wanted;
  const there = panes();
  for (const button of byId("panes").children) {
    button.hidden = !there.includes(button.dataset.pane);
    button.setAttribute("aria-selected", String(button.dataset.pane === pane));
  }
  byId("panes").hidden = there.length < 2;
  for (const [name, { id }] of Object.entries(PANES)) byId(id).hidden = name !== pane;
  byId("loupe").hidden = pane !== "fields" && pane !== "lines";
  viewer
    .show(pages, number, page, marks(), { keep: same || still })
    .then(() => PANES[pane] && viewer.mark(PANES[pane].current()))
    .catch((error) => tell(error.code ?? "internal-error"));
}

const marks = () => [
  ...(PANES[pane]?.marks() ?? []),
  ...(page.unread ?? []).map(({ box }, place) => ({ target: `unread:${place}`, box, kind: "unread" })),
];

function head() {
  const many = page.sheets > 1 ? ` · ${t("review.sheet", { number: page.place + 1, total: page.sheets })}` : "";
  byId("review-name").textContent = page.name + many;
  byId("review-number").textContent = `${number + 1} / ${pages.length}`;
  byId("review-facts").textContent = page.status === "read" ? facts() : "";
  document.querySelector('[data-do="previous-page"]').disabled = number === 0;
  document.querySelector('[data-do="next-page"]').disabled = number === pages.length - 1;
  document.querySelector('#review [data-do="save"]').disabled = running || !pages.some((one) => one.status === "read");
  byId("view-name").textContent = t(`view.${view}`);
}

function facts() {
  const words = []; // what is left to do comes first: the end may not fit
  const left = pages.reduce((sum, { doubts }) => sum + doubts, 0);
  if (left) words.push(t("review.doubtful", { count: page.doubts.length, all: left }));
  if (page.fields) words.push(fields.title(page.fields));
  if (page.lines.length) words.push(t("review.lines", { count: page.lines.length }));
  if (page.rotation) words.push(t("review.turned", { degrees: page.rotation }));
  words.push(t("review.engine", { engine: page.engine, time: duration(page.elapsed_s) }));
  return words.join(" · ");
}

function warn() {
  byId("page-warnings").hidden = !page.warnings.length;
  byId("page-warnings").replaceChildren(...page.warnings.map((each) => el("p", {}, t(`caution.${each}`))));
}

const paneOf = (target) => Object.keys(PANES).find((each) => PANES[each].holds(target));

function mark(target) {
  const wanted = paneOf(target);
  if (!wanted || !panes().includes(wanted)) return;
  if (wanted !== pane) choose(wanted, true);
  PANES[pane].mark(target);
  viewer.mark(PANES[pane].current());
  offerToConfirm();
  const place = page.doubts.findIndex((doubt) => doubt.target === target);
  if (place >= 0) step = place;
}

// To the next doubtful place, over all pages. Returns false where there is none that way.
function doubt(way, around = false) {
  const here = page.doubts[step]?.target === PANES[pane]?.current();
  // What was corrected is doubtful no more: the one that came after it has its place now.
  const next = way > 0 && !here ? Math.max(0, step) : step + way;
  if (page.doubts[next]) {
    mark(page.doubts[next].target);
    focus();
    return true;
  }
  const others = [...pages.keys()].filter((each) => pages[each].doubts && each !== number);
  let wanted = way > 0 ? others.find((each) => each > number) : others.findLast((each) => each < number);
  if (around) wanted ??= others[0] ?? (page.doubts.length ? number : undefined);
  if (wanted === undefined) {
    say(t("review.no_more_doubts"));
    return false;
  }
  open(wanted)
    .then(() => {
      const first = page.doubts.at(way > 0 ? 0 : -1);
      if (first) mark(first.target);
      focus();
    })
    .catch((error) => tell(error.code ?? "internal-error"));
  return true;
}

const isDoubtful = () => page.doubts.some(({ target }) => target === PANES[pane]?.current());

function offerToConfirm() {
  byId("review-confirm").hidden = !isDoubtful();
}

// What is marked was looked at and is right; on to the next doubtful place.
async function foundRight() {
  if (!isDoubtful()) return;
  const fetched = await post(`pages/${number}/confirm`, { target: PANES[pane].current() });
  if (fetched.id !== page.id) return;
  take(fetched, true);
  doubt(1);
}

const focus = () => PANES[pane] && byId(PANES[pane].id).focus({ preventScroll: true });

// Of what was just done, until the person does something else.
function say(words) {
  byId("review-said").textContent = words;
}
for (const done of ["keydown", "pointerdown"]) document.addEventListener(done, () => say(""), true);

function save(target, text) {
  const where = number;
  send(where, target, text)
    .then((fetched) => {
      if (where === number && fetched.id === page.id) take(fetched, true);
    })
    .catch((error) => {
      tell(error.code ?? "internal-error");
      if (where === number) return open(where);
    });
}

async function move(way) {
  await settled();
  const done = await post(`review/${way}`);
  const told = { count: done.places, pages: done.pages };
  say(way === "undo" ? t("review.did_undo", told) : t("review.did_redo", told));
  stamp = "";
  await open(done.page, done.target);
}

const turn = (by) => {
  const wanted = number + (view === "two" ? by * (by > 0 ? 2 - (number % 2) : 1 + (number % 2)) : by);
  const next = Math.min(pages.length - 1, Math.max(0, wanted));
  if (next !== number) return open(next);
};

const isAtButton = () => document.activeElement?.closest("button, input, textarea, [contenteditable]") !== null;

export function key(name) {
  if (!page) return false;
  if (name === "Tab" || name === "Shift+Tab") return !isAtButton() && doubt(name === "Tab" ? 1 : -1);
  if (PANES[pane]?.key(name)) return true;
  if (name === "N") doubt(1, true);
  else if (name === "Z") viewer.wider();
  else if (name === "=") viewer.zoom(1);
  else return false;
  return true;
}

const handlers = {
  mark,
  save,
  step: doubt,
  hover(target) {
    viewer.hover(target);
  },
};
for (const each of Object.values(PANES)) each.listen(handlers);
beforeSettling(source.keep);
viewer.listen({
  pick({ target, page: other }) {
    if (other !== undefined) return open(other);
    if (PANES[paneOf(target)]) mark(target);
  },
  hover(found) {
    PANES[pane]?.hover(found?.target ?? null);
    viewer.hover(found?.target ?? null);
  },
  turn(other) {
    open(other, null, true).catch((error) => tell(error.code));
  },
});
replace.listen({ told: say, failed: (error) => tell(error.code ?? "internal-error") });

document.addEventListener("look-at-page", ({ detail }) => {
  number = detail;
  revision = null;
});

// What the person is at: the page's number, and the target of what is marked on it, "" where nothing is.
export const place = () => ({ number, target: PANES[pane]?.current() ?? "" });

export const actions = {
  "give-password": () => askPassword(number, page.name),
  "previous-page": () => turn(-1),
  "next-page": () => turn(1),
  "read-again": () => post("read/again", { pages: [number] }),
  back: () => (running ? post("look", { at: "queue" }) : unsaved ? ask("ask-discard") : post("read/close")),
  discard: () => post("read/close"),
  confirm: foundRight,
  undo: () => move("undo"),
  redo: () => move("redo"),
  "open-replace": () => settled().then(replace.open),
  "replace-all": replace.replaceAll,
  "zoom-in": () => viewer.zoom(1),
  "zoom-out": () => viewer.zoom(-1),
  "zoom-home": () => viewer.home(),
  "next-view": () => {
    view = VIEWS[(VIEWS.indexOf(view) + 1) % VIEWS.length];
    viewer.setView(view);
    head();
    return viewer.show(pages, number, page, marks());
  },
  ...Object.fromEntries(
    Object.keys(PANES).map((each) => [
      `pane-${each}`,
      () => {
        chosen = each;
        choose(each, true);
        focus();
      },
    ]),
  ),
};

export function enter(from) {
  if (from === "list" || from === "insert") number = 0;
  if (from !== "saved" && from !== "saving" && from !== "save-failed") page = null;
  revision = null;
  byId("lines").focus({ preventScroll: true });
}
