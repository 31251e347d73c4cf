// Tables as tables: arrows go from cell to cell, Enter corrects one, typing writes it anew.
import { byId, el } from "../dom.js";
import { t } from "../words.js";
import { begin, editor } from "./editor.js";

let page = null;
let at = null;
let on = { mark() {}, save() {}, step() {} };

export const id = "tables";
export const holds = (target) => target.startsWith("cell:");
export const current = () => at;
export const marks = () => [];

const place = () => byId("tables");
const cellOf = (target) => place().querySelector(`[data-target="${target}"]`);
const targetOf = (table, cell) => `cell:${table}:${cell.row}:${cell.column}`;

export function listen(handlers) {
  on = handlers;
}

export function show(now, same) {
  page = now;
  if (same && place().querySelector("textarea")) return;
  if (!same) at = null;
  place().replaceChildren(...page.tables.map(grid));
  if (!at || !cellOf(at)) at = page.tables.length ? "cell:0:0:0" : null;
  if (at) cellOf(at)?.classList.add("at");
}

function grid(table, number) {
  const rows = Array.from({ length: table.rows }, () => el("tr"));
  for (const cell of table.cells) {
    const node = el("td", { data: { target: targetOf(number, cell) }, rowSpan: cell.rows, colSpan: cell.columns });
    write(node, cell);
    rows[cell.row].append(node);
  }
  const caption = el("caption", {}, t("table.title", { number: number + 1, rows: table.rows, columns: table.columns }));
  return el("table", {}, caption, el("tbody", {}, ...rows));
}

function write(node, cell) {
  node.replaceChildren(el("span", { className: "words" }, cell.text));
  const changed = cell.text !== cell.read_as;
  node.classList.toggle("corrected", changed);
  if (changed) node.append(el("s", { className: "was" }, cell.read_as || t("field.empty")));
}

function parts(target) {
  const [, table, row, column] = target.split(":").map(Number);
  return { table, row, column };
}

// The cell that covers a place of the grid.
function covering({ table, row, column }) {
  return page.tables[table]?.cells.find(
    (cell) => row >= cell.row && row < cell.row + cell.rows && column >= cell.column && column < cell.column + cell.columns,
  );
}

export function mark(target) {
  const { table } = parts(target);
  const cell = covering(parts(target));
  if (!cell) return;
  if (at) cellOf(at)?.classList.remove("at");
  at = targetOf(table, cell);
  cellOf(at).classList.add("at");
  cellOf(at).scrollIntoView({ block: "nearest", inline: "nearest" });
}

export const hover = () => {};

// `by`: [rows, columns]; beyond the last row the next table begins.
function move([down, right]) {
  if (!at) return;
  const { table, row, column } = parts(at);
  const cell = covering({ table, row, column });
  const to = {
    table,
    row: down > 0 ? cell.row + cell.rows : row + down,
    column: right > 0 ? cell.column + cell.columns : column + right,
  };
  if (to.row >= page.tables[table].rows && table + 1 < page.tables.length) Object.assign(to, { table: table + 1, row: 0 });
  if (to.row < 0 && table > 0) Object.assign(to, { table: table - 1, row: page.tables[table - 1].rows - 1 });
  const wanted = covering(to);
  if (wanted) on.mark(targetOf(to.table, wanted));
}

// To the next or the last cell as one reads, from row to row.
function along(way) {
  const { table } = parts(at);
  const { cells } = page.tables[table];
  const wanted = cells[cells.indexOf(covering(parts(at))) + way];
  if (wanted) on.mark(targetOf(table, wanted));
}

const MOVES = { "↑": [-1, 0], "↓": [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };

export function key(name) {
  if (!at) return false;
  if (MOVES[name]) move(MOVES[name]);
  else if (name === "Home") on.mark("cell:0:0:0");
  else if (name === "End") on.mark(targetOf(page.tables.length - 1, page.tables.at(-1).cells.at(-1)));
  else if (name === "Enter") edit();
  else return false;
  return true;
}

export function edit() {
  const node = at && cellOf(at);
  if (!node || node.querySelector("textarea")) return;
  const target = at;
  const cell = covering(parts(target));
  const field = editor({
    value: cell.text,
    label: t("table.edit", { row: cell.row + 1, column: cell.column + 1 }),
    lines: true,
    done(text, ended) {
      if (text !== null) cell.text = text.trim();
      write(node, cell);
      if (text !== null) on.save(target, text);
      if (ended) place().focus({ preventScroll: true });
      if (ended === "Enter") move([1, 0]);
      else if (ended.endsWith("Tab")) along(ended === "Tab" ? 1 : -1);
    },
  });
  node.replaceChildren(field);
  begin(field);
}

place().addEventListener("click", (event) => {
  const node = event.target.closest("td");
  if (!node || event.target.closest("textarea")) return;
  const again = node.dataset.target === at;
  on.mark(node.dataset.target);
  if (again) edit();
});
