// The page's lines: go through them, correct them in their place.
import { byId, el } from "../dom.js";
import { t } from "../words.js";
import { begin, editor } from "./editor.js";

let page = null;
let at = -1;
let shown = null; // what a row shows, to change only those that differ
let on = { mark() {}, hover() {}, save() {}, step() {} };

export const id = "lines";
export const holds = (target) => target.startsWith("line:");
export const current = () => (at < 0 ? null : `line:${at}`);
export const marks = () =>
  page.lines.map(({ box, doubtful }, number) => ({ target: `line:${number}`, box, doubtful }));

const rows = () => byId("lines").children;

export function listen(handlers) {
  on = handlers;
}

// The same page again keeps its rows, where the clerk is, and what is being typed.
export function show(now, same) {
  page = now;
  if (same && shown?.length === page.lines.length) return refresh();
  at = -1;
  byId("lines").replaceChildren(...page.lines.map(row));
  byId("lines").scrollTop = 0;
  shown = page.lines.map(looks);
}

const looks = ({ text, doubtful, confirmed }) => `${doubtful} ${confirmed} ${t("line.doubtful")} ${text}`;

function refresh() {
  page.lines.forEach((line, number) => {
    const wanted = looks(line);
    if (shown[number] === wanted || rows()[number].querySelector("textarea")) return;
    shown[number] = wanted;
    write(rows()[number], line);
  });
}

function row(line, number) {
  const item = el(
    "li",
    { data: { line: number } },
    el("span", { className: "number" }, String(number + 1)),
    el("div", { className: "cell" }),
    el("span", { className: "mark" }),
  );
  item.classList.toggle("column", number > 0 && line.column !== page.lines[number - 1].column);
  write(item, line);
  return item;
}

function write(item, line) {
  const cell = item.querySelector(".cell");
  const corrected = line.text !== line.read_as;
  cell.replaceChildren(el("span", { className: "words" }, line.text));
  if (corrected) cell.append(el("s", { className: "was" }, line.read_as));
  item.classList.toggle("doubtful", line.doubtful);
  const mark = line.confirmed ? "line.confirmed" : corrected ? "line.corrected" : line.doubtful ? "line.doubtful" : "";
  item.querySelector(".mark").textContent = mark ? t(mark) : "";
}

export function mark(target) {
  if (!page.lines.length) return;
  rows()[at]?.classList.remove("at");
  at = Math.min(page.lines.length - 1, Math.max(0, Number(target.slice(5))));
  rows()[at].classList.add("at");
  rows()[at].scrollIntoView({ block: "nearest" });
}

export function hover(target) {
  for (const item of byId("lines").querySelectorAll(".hover")) item.classList.remove("hover");
  if (target) rows()[Number(target.slice(5))]?.classList.add("hover");
}

const to = (number) => on.mark(`line:${Math.min(page.lines.length - 1, Math.max(0, number))}`);

export function key(name) {
  if (!page.lines.length) return false;
  if (name === "↑" || name === "↓") to(at + (name === "↓" ? 1 : -1));
  else if (name === "Home") to(0);
  else if (name === "End") to(page.lines.length - 1);
  else if (name === "Enter") edit();
  else return false;
  return true;
}

export function edit() {
  const item = rows()[at];
  if (!item || item.querySelector("textarea")) return;
  const number = at;
  const line = page.lines[number];
  const field = editor({
    value: line.text,
    label: t("line.edit", { number: number + 1 }),
    done(text, ended) {
      if (text !== null) on.save(`line:${number}`, text, (line.text = text));
      shown[number] = null;
      write(item, page.lines[number]);
      if (ended) byId("lines").focus({ preventScroll: true });
      if (ended === "Enter") to(number + 1);
      else if (ended.endsWith("Tab")) on.step(ended === "Tab" ? 1 : -1);
    },
  });
  item.querySelector(".cell").replaceChildren(field);
  begin(field);
}

byId("lines").addEventListener("mouseover", (event) => {
  const item = event.target.closest("li");
  on.hover(item ? `line:${item.dataset.line}` : null);
});
byId("lines").addEventListener("mouseleave", () => on.hover(null));
byId("lines").addEventListener("click", (event) => {
  const item = event.target.closest("li");
  if (!item || event.target.closest("textarea")) return;
  const again = Number(item.dataset.line) === at;
  on.mark(`line:${item.dataset.line}`);
  if (again) edit();
});
