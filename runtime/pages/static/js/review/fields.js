// The fields of a form, each with its strip of the picture and what its checks say; the worst come first.
import { byId, el } from "../dom.js";
import { has, spoken, t } from "../words.js";
import { begin, editor } from "./editor.js";
import { strip } from "./strip.js";

const SIGNS = { pass: "✓", fail: "✗", unchecked: "–" };

let page = null;
let source = null;
let at = null;
let order = [];
let on = { mark() {}, hover() {}, save() {}, step() {} };

export const id = "fields";
export const holds = (target) => target.startsWith("field:");
export const current = () => at;
export const marks = () =>
  page.fields.fields.map(({ key, box, reason }) => ({ target: `field:${key}`, box, doubtful: reason, kind: "field" }));

const named = (key) => page.fields.fields.find((field) => field.key === key);
const rowOf = (target) => byId("fields").querySelector(`li[data-target="${CSS.escape(target)}"]`);

export function listen(handlers) {
  on = handlers;
}

// A sentence of the station's in the language that is spoken; its own English where the catalogue lacks it.
export function why(sentence) {
  const key = `why.${sentence.toLowerCase().replace(/\d+/g, "n").replace(/[^a-z]+/g, "_").replace(/^_|_$/g, "")}`;
  return has(key) ? t(key, { n: sentence.match(/\d+/)?.[0] ?? "" }) : sentence;
}

// The same page again keeps its order: a field that is set right does not jump away from under the hand.
export function show(now, same, picture) {
  page = now;
  source = picture;
  const keys = page.fields.fields.map((field) => field.key);
  if (!same || keys.length !== order.length || !keys.every((key) => order.includes(key))) {
    order = keys;
    at = null;
    byId("fields").scrollTop = 0;
  }
  const open = byId("fields").querySelector("textarea");
  if (open) return;
  byId("fields").replaceChildren(...contradictions(), ...order.map((key) => row(named(key))));
  if (at) rowOf(at)?.classList.add("at");
}

function contradictions() {
  return page.fields.agreements
    .filter(({ state }) => state === "fail")
    .map(({ why: sentence, fields }) =>
      el("li", { className: "contradiction" }, el("b", {}, `${SIGNS.fail} ${fields.join(" + ")}`), el("span", {}, why(sentence))),
    );
}

function row(field) {
  const { key, box, reason } = field;
  const item = el("li", { data: { target: `field:${key}` } }, el("b", { className: "key" }, key), el("span", { className: "mark" }));
  item.append(crop(box), el("div", { className: "cell" }), el("ul", { className: "checks" }));
  item.classList.toggle("doubtful", Boolean(reason));
  const changed = field.value !== field.read_as;
  const said = reason ? t(`doubt.${reason}`) : field.confirmed ? t("line.confirmed") : changed ? t("line.corrected") : "";
  item.querySelector(".mark").textContent = said;
  write(item, field);
  return item;
}

function crop(box) {
  const place = el("div", { className: "crop" });
  if (box && source) place.append(strip(page, source, box, 0.35));
  else place.append(el("span", {}, t("field.no_place")));
  return place;
}

function write(item, field) {
  const cell = item.querySelector(".cell");
  cell.replaceChildren(el("span", { className: "words" }, field.value || t("field.empty")));
  cell.classList.toggle("empty", !field.value);
  if (field.value !== field.read_as && field.read_as) cell.append(el("s", { className: "was" }, field.read_as));
  item.querySelector(".checks").replaceChildren(
    ...field.checks.map(({ state, why: sentence }) =>
      el("li", { className: state }, el("b", {}, SIGNS[state]), t(`verdict.${state}`, { why: why(sentence) })),
    ),
  );
}

export const title = ({ title_zh: zh, title: en, form }) => (spoken() === "zh" ? zh : en) || form;

export function mark(target) {
  if (at) rowOf(at)?.classList.remove("at");
  const wanted = rowOf(target);
  if (!wanted) return;
  at = target;
  wanted.classList.add("at");
  wanted.scrollIntoView({ block: "nearest" });
}

export function hover(target) {
  for (const item of byId("fields").querySelectorAll(".hover")) item.classList.remove("hover");
  if (target) rowOf(target)?.classList.add("hover");
}

function to(place) {
  const key = order[Math.min(order.length - 1, Math.max(0, place))];
  if (key !== undefined) on.mark(`field:${key}`);
}

const placeOf = (target) => order.indexOf(target?.slice(6));

export function key(name) {
  if (name === "↑" || name === "↓") to(placeOf(at) + (name === "↓" ? 1 : -1));
  else if (name === "Home") to(0);
  else if (name === "End") to(order.length - 1);
  else if (name === "Enter") edit();
  else return false;
  return true;
}

export function edit() {
  const item = at && rowOf(at);
  if (!item || item.querySelector("textarea")) return;
  const target = at;
  const field = named(target.slice(6));
  const input = editor({
    value: field.value,
    label: t("field.edit", { name: field.key }),
    lines: true,
    done(text, ended) {
      if (text !== null) field.value = text;
      write(item, field);
      if (text !== null) on.save(target, text);
      if (ended) byId("fields").focus({ preventScroll: true });
      if (ended.endsWith("Tab")) on.step(ended === "Tab" ? 1 : -1);
    },
  });
  item.querySelector(".cell").replaceChildren(input);
  begin(input);
}

byId("fields").addEventListener("mouseover", (event) => on.hover(event.target.closest("li[data-target]")?.dataset.target ?? null));
byId("fields").addEventListener("mouseleave", () => on.hover(null));
byId("fields").addEventListener("click", (event) => {
  const item = event.target.closest("li[data-target]");
  if (!item || event.target.closest("textarea")) return;
  const again = item.dataset.target === at;
  on.mark(item.dataset.target);
  if (again) edit();
});
