// A long list of rows of one height: only those near the view are in the document, so that a thousand
// rows scroll as ten do. `list` scrolls; it is a grid, since a row may hold buttons, and what lists its rows is its
// only child. A row is a list item around a `line`.
import { el } from "./dom.js";

const OVER = 8;
const ALL_UP_TO = 60;

const cell = (content) => el("span", { attributes: { role: "gridcell" } }, content);

// `data` is for the item, whose `id` and whether it is `selected` are told to who listens.
export const line = ({ id, selected, data }, ...cells) =>
  el("li", { data, attributes: { role: "none" } },
    el("div", { id, attributes: { role: "row", "aria-selected": String(selected) } }, ...cells.map(cell)));

export function rows(list, make) {
  const items = list.firstElementChild;
  let count = 0;
  let height = 0;
  let drawn = new Map();

  function draw(anew) {
    if (anew) drawn = new Map();
    if (!height && count) measure();
    const [from, to] = window();
    const wanted = new Map();
    for (let n = from; n < to; n += 1) wanted.set(n, drawn.get(n) ?? made(n));
    const same = !anew && wanted.size === drawn.size && [...wanted.keys()].every((n) => drawn.has(n));
    if (same) return;
    drawn = wanted;
    space(from, to);
    list.ariaRowCount = String(count);
    items.replaceChildren(...drawn.values());
  }

  // The rows that are not there: as margins, since padding would make the list itself as long.
  function space(from, to) {
    for (const [n, row] of drawn) {
      row.style.marginTop = n === from ? `${from * height}px` : "";
      row.style.marginBottom = n === to - 1 ? `${(count - to) * height}px` : "";
    }
  }

  function window() {
    if (count <= ALL_UP_TO) return [0, count];
    const from = Math.floor(list.scrollTop / height) - OVER;
    const to = Math.ceil((list.scrollTop + list.clientHeight) / height) + OVER;
    return [Math.max(0, Math.min(from, count - 1)), Math.max(1, Math.min(count, to))];
  }

  function made(n) {
    const row = make(n);
    row.firstElementChild.ariaRowIndex = String(n + 1);
    return row;
  }

  function measure() {
    items.replaceChildren(make(0));
    height = items.firstElementChild.getBoundingClientRect().height;
    if (!height) height = 4.6 * parseFloat(getComputedStyle(document.documentElement).fontSize);
  }

  list.addEventListener("scroll", () => draw(false), { passive: true });
  new ResizeObserver(() => {
    height = 0;
    draw(true);
  }).observe(list);

  return {
    // From now on there are so many; every row is made anew.
    set(wanted) {
      count = wanted;
      draw(true);
    },
    // Row `n` looks different now.
    update(n) {
      const old = drawn.get(n);
      if (!old) return;
      const row = made(n);
      row.style.marginTop = old.style.marginTop;
      row.style.marginBottom = old.style.marginBottom;
      drawn.set(n, row);
      old.replaceWith(row);
    },
    row: (n) => drawn.get(n),
    reveal(n) {
      if (!height) return;
      const top = n * height;
      if (top < list.scrollTop) list.scrollTop = top;
      else if (top + height > list.scrollTop + list.clientHeight) list.scrollTop = top + height - list.clientHeight;
      draw(false);
    },
  };
}
