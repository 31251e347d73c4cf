// What is wrong with the machine, and what the station is made of.
import { get, post } from "../api.js";
import { ask, tell } from "../dialogs.js";
import { byId, el } from "../dom.js";
import { has, t } from "../words.js";

const known = (code) => (has(`trouble.${code}`) ? code : "OTHER");

let drawn = "";

// The code is fetched anew when there is something new in it.
async function showCode(troubles) {
  const wanted = JSON.stringify(troubles.list);
  if (drawn === wanted) return;
  drawn = wanted;
  const summary = await (await fetch("/kiosk/trouble/summary.txt")).text();
  byId("trouble-summary").textContent = summary;
  byId("trouble-code").src = `/kiosk/trouble/qr.svg?${Date.now()}`;
}

export function render({ troubles }) {
  showCode(troubles).catch(() => {});
  byId("troubles").replaceChildren(...troubles.list.map(item));
  const reads = troubles.reads.join(", ");
  byId("trouble-reads").textContent = reads ? t("trouble.still_reads", { engines: reads }) : t("trouble.cannot_read");
}

function item({ code, detail, engines }) {
  const row = el("li");
  row.append(
    el("h2", {}, t(`trouble.${known(code)}`)),
    el("p", {}, t(`trouble_cause.${known(code)}`)),
    el("p", { className: "remedy" }, t(`trouble_remedy.${known(code)}`)),
    el("p", { className: "code" }, [code, detail, t("trouble.without", { engines: engines.join(", ") })].filter(Boolean).join(" · ")),
  );
  return row;
}

// Texts that were broken into lines for a terminal; lists and headings keep theirs.
const flowing = (text) => text.replace(/([^\n])\n(?![\n#*-])\s*/g, "$1 ").replaceAll("**", "");

async function about() {
  const { profile, version, engines, model, licence, wants_keys: wantsKeys } = await get("about");
  const facts = [
    [t("about.version"), `Inkstick ${version}, ${profile}`],
    [t("about.engines"), engines.join(", ")],
  ];
  if (model) {
    facts.push([t("about.model"), [model.title, model.synthetic ? t("brand.synthetic") : "", model.commit].filter(Boolean).join(" · ")]);
    facts.push([t("about.licence"), model.licence]);
  }
  byId("about-facts").replaceChildren(...facts.flatMap(([name, value]) => [el("dt", {}, name), el("dd", {}, value)]));
  const texts = model ? [model.notice, model.terms, licence].filter(Boolean) : [t("about.no_model")];
  byId("about-texts").replaceChildren(...texts.map((text) => el("pre", {}, flowing(text))));
  byId("wants-keys").hidden = !wantsKeys;
  ask("about");
}

// The station forgets them with this answer: nothing but the person's own Esc closes the dialog.
async function firstKeys() {
  const keys = await post("keys/first");
  if (keys.length === 0) return tell("keys-shown");
  byId("first-keys-list").replaceChildren(
    ...keys.flatMap(({ scope, key }) => [el("dt", {}, scope), el("dd", {}, el("code", {}, key))]),
  );
  ask("first-keys");
}

export const actions = {
  "close-troubles": () => post("trouble/close"),
  "show-troubles": () => post("trouble/show"),
  about,
  "first-keys": firstKeys,
};
