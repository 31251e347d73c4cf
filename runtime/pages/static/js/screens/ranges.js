// Which pages of a document are read: typed as "1-3,7", or chosen by their pictures; its password, if it has one.
import { post } from "../api.js";
import { ask, reason, remedy } from "../dialogs.js";
import { byId, el } from "../dom.js";
import { thumb } from "../thumbnails.js";
import { t } from "../words.js";

const PAGED = /\.(pdf|tiff?|zip|hei[cf])$/i;
let chosen = new Map();
let file = null;
let count = 0;
let wanted = new Set();
let done = () => {};

export const has = (name) => PAGED.test(name);
export const of = (numbers) => Object.fromEntries(numbers.filter((n) => chosen.has(n)).map((n) => [n, chosen.get(n)]));
export const chip = (number) =>
  el("button", { type: "button", className: "range", tabIndex: -1 }, chosen.has(number) ? t("range.these", { pages: chosen.get(number) }) : t("range.all"));

export function forget() {
  chosen = new Map();
}

export async function ask_for(revision, number, name, whenDone) {
  file = { revision, number };
  done = whenDone;
  byId("range-name").textContent = name;
  byId("range-password").value = "";
  byId("range-pages").replaceChildren();
  byId("range-problem").hidden = byId("range-locked").hidden = true;
  byId("range-text").value = chosen.get(number) ?? "";
  ask("ask-pages");
  await open("");
}

async function open(password) {
  try {
    const found = await post(`files/${file.revision}/${file.number}/open`, { password });
    count = found.pages;
    byId("range-locked").hidden = byId("range-problem").hidden = true;
    byId("range-count").textContent = t("range.count", { count });
    wanted = numbers(byId("range-text").value) ?? new Set();
    showPages(found.members);
    byId("range-text").focus();
  } catch (error) {
    const locked = error.code === "locked-document";
    byId("range-locked").hidden = !locked;
    byId("range-problem").hidden = locked && !password;
    byId("range-problem").textContent = locked ? t("range.wrong_password") : `${reason(error.code)} · ${remedy(error.code)}`;
    if (locked) byId("range-password").focus();
  }
}

function showPages(members) {
  byId("range-pages").replaceChildren(
    ...Array.from({ length: count }, (_, page) => {
      const source = `/kiosk/files/${file.revision}/${file.number}/thumbnail?page=${page}`;
      const button = el("button", { type: "button", data: { page } }, thumb(source), el("span", {}, members[page] || String(page + 1)));
      button.setAttribute("aria-pressed", String(wanted.has(page)));
      return button;
    }),
  );
}

// Page numbers from 0; null for what is no range.
function numbers(text) {
  const pages = new Set();
  for (const part of text.split(/[,，、\s]+/).filter(Boolean)) {
    const range = /^(\d*)(-?)(\d*)$/.exec(part);
    if (!range || !(range[1] || range[3])) return null;
    const first = Number(range[1] || 1);
    const last = range[2] ? Number(range[3] || count) : first;
    if (first < 1 || last > count || first > last) return null;
    for (let page = first; page <= last; page += 1) pages.add(page - 1);
  }
  return pages;
}

function asText(pages) {
  const parts = [];
  for (const page of [...pages].sort((a, b) => a - b)) {
    const last = parts.at(-1);
    if (last && last[1] === page) last[1] = page + 1;
    else parts.push([page + 1, page + 1]);
  }
  return parts.map(([first, last]) => (first === last ? `${first}` : `${first}-${last}`)).join(",");
}

function showChosen() {
  for (const button of byId("range-pages").children) button.setAttribute("aria-pressed", String(wanted.has(Number(button.dataset.page))));
}

function accept() {
  const pages = numbers(byId("range-text").value);
  if (pages === null) {
    byId("range-problem").hidden = false;
    byId("range-problem").textContent = t("range.wrong", { count });
    return;
  }
  if (pages.size && pages.size < count) chosen.set(file.number, asText(pages));
  else chosen.delete(file.number);
  byId("ask-pages").close();
  done();
}

byId("range-text").addEventListener("input", (event) => {
  wanted = numbers(event.target.value) ?? wanted;
  showChosen();
});
byId("range-pages").addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (!button) return;
  const page = Number(button.dataset.page);
  if (!wanted.delete(page)) wanted.add(page);
  byId("range-text").value = asText(wanted);
  showChosen();
});
byId("ask-pages").addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.isComposing || event.target.closest?.("#range-pages, .actions")) return;
  event.preventDefault();
  if (event.target === byId("range-password")) open(event.target.value);
  else accept();
});
byId("range-accept").addEventListener("click", accept);
