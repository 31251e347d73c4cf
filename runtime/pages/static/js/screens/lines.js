// The page's lines: go through them, correct them in their place.
import { post } from "../api.js";
import { tell } from "../dialogs.js";
import { byId, el } from "../dom.js";
import { t } from "../words.js";
import * as sheet from "./sheet.js";

let page = null;
let pageNumber = 0;
let at = -1;
let pending = Promise.resolve();

export const current = () => at;
// Resolves when every correction has reached the station.
export const settled = () => pending;

const rows = () => byId("lines").children;

export function show(shown, number) {
  page = shown;
  pageNumber = number;
  at = -1;
  byId("lines").replaceChildren(...page.lines.map(row));
  byId("lines").scrollTop = 0;
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
  if (corrected) cell.append(el("span", { className: "was" }, line.read_as));
  item.classList.toggle("doubtful", line.doubtful && !corrected);
  const mark = corrected ? "line.corrected" : line.doubtful ? "line.doubtful" : "";
  item.querySelector(".mark").textContent = mark ? t(mark) : "";
}

export function mark(number) {
  if (!page.lines.length) return;
  rows()[at]?.classList.remove("at");
  at = Math.min(page.lines.length - 1, Math.max(0, number));
  rows()[at].classList.add("at");
  rows()[at].scrollIntoView({ block: "nearest" });
  sheet.mark(at);
}

export function hover(number) {
  for (const item of byId("lines").querySelectorAll(".hover")) item.classList.remove("hover");
  rows()[number]?.classList.add("hover");
}

export function nextDoubtful() {
  const count = page.lines.length;
  for (let step = 1; step <= count; step += 1) {
    const number = (at + step + count) % count;
    const line = page.lines[number];
    if (line.doubtful && line.text === line.read_as) return mark(number);
  }
}

export function edit() {
  const item = rows()[at];
  if (!item || item.querySelector("textarea")) return;
  const line = page.lines[at];
  const number = at;
  const field = el("textarea", { value: line.text, rows: 1, spellcheck: false });
  field.setAttribute("aria-label", t("line.edit", { number: number + 1 }));
  let open = true;
  const finish = (keep) => {
    if (!open) return;
    open = false;
    const text = field.value.replace(/\s*[\r\n]+\s*/g, " ");
    if (keep && text !== line.text) correct(number, text);
    write(item, line);
  };
  field.addEventListener("blur", () => finish(true));
  field.addEventListener("keydown", (event) => {
    if (event.isComposing) return;
    if (event.key !== "Enter" && event.key !== "Escape") {
      if (["F2", "F9", "F10"].includes(event.key) || (event.ctrlKey && event.key === "s")) finish(true);
      return;
    }
    event.preventDefault();
    event.stopPropagation();
    finish(event.key === "Enter");
    byId("lines").focus({ preventScroll: true });
    if (event.key === "Enter") mark(number + 1);
  });
  item.querySelector(".cell").replaceChildren(field);
  field.focus();
  field.setSelectionRange(field.value.length, field.value.length);
}

function correct(number, text) {
  const line = page.lines[number];
  const before = line.text;
  const [shown, where] = [page, pageNumber];
  line.text = text;
  pending = pending.then(() => post(`pages/${where}/edit`, { target: `line:${number}`, text })).catch((error) => {
    line.text = before;
    if (page === shown) write(rows()[number], line);
    tell(error.code);
  });
}

byId("lines").addEventListener("mouseover", (event) => {
  const item = event.target.closest("li");
  sheet.hover(item ? Number(item.dataset.line) : null);
});
byId("lines").addEventListener("mouseleave", () => sheet.hover(null));
byId("lines").addEventListener("click", (event) => {
  const item = event.target.closest("li");
  if (!item || event.target.closest("textarea")) return;
  const again = Number(item.dataset.line) === at;
  mark(Number(item.dataset.line));
  if (again) edit();
});
