// Search over the whole batch, see every find, leave some out, replace the rest as one step.
import { post } from "../api.js";
import { ask } from "../dialogs.js";
import { byId, el } from "../dom.js";
import { t } from "../words.js";

const WAIT_MS = 250;

let found = null;
let asked = 0;
let timer = null;
let on = { go() {}, told() {} };

export function listen(handlers) {
  on = handlers;
}

const words = () => ({ find: byId("replace-find").value, with_case: byId("replace-case").checked });

export function open() {
  ask("replace");
  byId("replace-find").focus();
  byId("replace-find").select();
  return search();
}

async function search() {
  clearTimeout(timer);
  const number = (asked += 1);
  const wanted = words();
  const answer = wanted.find ? await post("review/search", wanted) : { count: 0, places: 0, pages: 0, matches: [] };
  if (number !== asked) return;
  found = answer;
  byId("replace-found").replaceChildren(...found.matches.map(row));
  count();
}

function row(match, number) {
  const choice = el("input", { type: "checkbox", checked: true, data: { number } });
  const where = match.sheets > 1 ? `${match.name} · ${match.place + 1}` : match.name;
  const kind = match.target.startsWith("field:") ? match.target.slice(6) : "";
  const text = el("span", { className: "found" });
  let at = 0;
  for (const [start, end] of match.spans) {
    // Offsets count characters, as Python does; a rare sign is one of them.
    const signs = [...match.text];
    text.append(signs.slice(at, start).join(""), el("mark", {}, signs.slice(start, end).join("")));
    at = end;
  }
  text.append([...match.text].slice(at).join(""));
  return el("li", {}, el("label", {}, choice, el("b", {}, [where, kind].filter(Boolean).join(" · ")), text));
}

const skipped = () =>
  [...byId("replace-found").querySelectorAll("input:not(:checked)")].map(({ dataset }) => {
    const { page, target } = found.matches[Number(dataset.number)];
    return [page, target];
  });

function count() {
  const left = found.places - skipped().length;
  const none = words().find && !found.places;
  byId("replace-count").textContent = none
    ? t("replace.none")
    : found.places
      ? t("replace.count", { count: found.count, places: found.places, pages: found.pages })
      : "";
  byId("replace-label").textContent = t("replace.do", { count: left });
  byId("replace-label").parentElement.disabled = !left;
}

// The words of an open dialog in the language that is spoken now.
export const speakAnew = () => found && count();

export async function replaceAll() {
  const body = { ...words(), replace: byId("replace-with").value, skipped: skipped() };
  const done = await post("review/replace", body);
  on.told(t("replace.done", done));
}

for (const id of ["replace-find", "replace-case"]) {
  byId(id).addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(() => search().catch(on.failed), WAIT_MS);
  });
}
byId("replace-found").addEventListener("change", count);
for (const [id, next] of [["replace-find", "replace-with"], ["replace-with", null]]) {
  byId(id).addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.isComposing) return;
    event.preventDefault();
    if (next) byId(next).focus();
    else byId("replace-label").parentElement.click();
  });
}
