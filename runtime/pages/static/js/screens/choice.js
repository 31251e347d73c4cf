// What pages are read for: a task, a form, keys, or words of one's own. What the engine cannot do says why.
import { get, post } from "../api.js";
import { ask, dismiss, tell } from "../dialogs.js";
import { byId, el, svg } from "../dom.js";
import { spoken, t } from "../words.js";

const COLUMNS = 3;
let revision = null;
let offers = { tiles: [], forms: [], own: [] };
let chosen = { tile: "auto" };

export async function render(state, spokenAnew) {
  chosen = state.choice;
  if (chosen.revision !== revision) {
    revision = chosen.revision;
    offers = await get("choice");
  } else if (!spokenAnew) return;
  show();
}

const tiles = () => [...document.querySelectorAll("#tiles .tile")];
const offered = (name) => offers.tiles.find((each) => each.name === name);
const why = (offer) => (spoken() === "zh" ? offer.why_zh : offer.why);
const titleOf = (form) => (spoken() === "zh" ? form.title_zh : form.title);

function show() {
  for (const tile of tiles()) {
    const name = tile.dataset.tile;
    const offer = offered(name);
    const mine = name === chosen.tile;
    tile.setAttribute("aria-checked", String(mine));
    tile.tabIndex = mine ? 0 : -1;
    tile.setAttribute("aria-disabled", String(!offer.available));
    tile.setAttribute("aria-description", offer.available ? t(`about_tile.${name}`) : why(offer));
  }
  byId("choice-what").textContent = what();
  const reasons = new Set(offers.tiles.filter((each) => !each.available).map(why));
  byId("choice-why").hidden = reasons.size === 0;
  byId("choice-why").textContent = t("choice.why", { reasons: [...reasons].join(" ") });
  showOwn();
}

function what() {
  const own = offers.own.find(isChosen);
  if (own) return own.prompt ? own.prompt : own.keys.join(t("choice.between"));
  if (chosen.prompt) return chosen.prompt;
  const form = offers.forms.find((each) => each.name === chosen.form);
  if (form) return `${titleOf(form)}${t("choice.colon")}${form.keys.join(t("choice.between"))}`;
  if (chosen.keys.length) return chosen.keys.join(t("choice.between"));
  return t(`about_tile.${chosen.tile}`);
}

const isChosen = (form) =>
  form.prompt ? form.prompt === chosen.prompt : !chosen.prompt && form.keys.join("\n") === chosen.keys.join("\n");

function icon(name) {
  const drawing = svg("svg", { "aria-hidden": "true" });
  const known = document.getElementById(`icon-${name}`) ? name : "form";
  drawing.append(svg("use", { href: `#icon-${known}` }));
  return drawing;
}

function showOwn() {
  const place = byId("own-forms");
  place.hidden = offers.own.length === 0;
  place.replaceChildren(
    ...offers.own.map((form) => {
      const use = el("button", { type: "button", onclick: () => take(wantOf(form)) }, icon(form.prompt ? "prompt" : "form"), form.name);
      use.setAttribute("aria-pressed", String(isChosen(form)));
      const drop = el("button", { type: "button", className: "drop", onclick: () => send("forms/forget", { name: form.name }) }, "×");
      drop.ariaLabel = t("form.forget", { name: form.name });
      return el("span", {}, use, drop);
    }),
  );
}

const wantOf = ({ keys, prompt }) => (prompt ? { task: "text", prompt } : { task: "fields", keys });

const send = (path, body) => post(path, body).catch((error) => tell(error.code ?? "internal-error"));

async function take(want) {
  dismiss();
  await send("choice", want);
  back();
}

// The keyboard goes on where it was: Enter reads.
function back() {
  document.querySelector("main > section:not([hidden]) [tabindex='0']")?.focus({ preventScroll: true });
}

function pick(tile) {
  const name = tile.dataset.tile;
  const offer = offered(name);
  if (!offer) return;
  if (!offer.available) refuse(offer);
  else if (name === "fields") askForm();
  else if (name === "prompt") askPrompt();
  else take({ task: offer.task, to: offer.to });
}

function refuse(offer) {
  byId("tell-title").textContent = t("choice.not_here", { task: t(`tile.${offer.name}`) });
  byId("tell-remedy").textContent = why(offer);
  ask("tell");
}

function askForm() {
  byId("forms").replaceChildren(
    ...offers.forms.map((form) => {
      const button = el("button", { type: "button", className: "tile", onclick: () => take({ task: "fields", form: form.name }) });
      button.append(icon(form.name), titleOf(form));
      button.setAttribute("aria-pressed", String(form.name === chosen.form));
      return button;
    }),
  );
  byId("form-keys").value = chosen.keys.join("\n");
  byId("form-name").value = "";
  ask("ask-form");
  byId("forms").firstElementChild?.focus();
}

function askPrompt() {
  byId("prompt-words").value = chosen.prompt;
  byId("prompt-name").value = "";
  ask("ask-prompt");
  byId("prompt-words").focus();
}

const keysGiven = () => [...new Set(byId("form-keys").value.split(/[\n,，、;；]/).map((key) => key.trim()).filter(Boolean))];

async function keep(name, form) {
  if (!name.trim()) return tell("form-without-name");
  if (!form.prompt && !form.keys?.length) return tell("form-without-keys");
  await post("forms", { name, ...form });
  await take(wantOf({ keys: [], prompt: "", ...form }));
}

const use = (form) => (form.prompt || form.keys?.length ? take(wantOf(form)) : tell("form-without-keys"));

export const actions = {
  "choose-task": () => tiles().find((tile) => tile.tabIndex === 0)?.focus(),
  "use-keys": () => use({ keys: keysGiven() }),
  "keep-keys": () => keep(byId("form-name").value, { keys: keysGiven() }),
  "use-prompt": () => use({ prompt: byId("prompt-words").value.trim() }),
  "keep-prompt": () => keep(byId("prompt-name").value, { prompt: byId("prompt-words").value.trim() }),
};

const STEPS = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -COLUMNS, ArrowDown: COLUMNS };

byId("tiles").addEventListener("keydown", (event) => {
  const all = tiles();
  const at = all.indexOf(document.activeElement);
  if (event.key in STEPS) all[Math.min(all.length - 1, Math.max(0, at + STEPS[event.key]))].focus();
  else if (event.key === "Escape") back();
  else return;
  event.preventDefault();
});
byId("tiles").addEventListener("click", (event) => {
  const tile = event.target.closest(".tile");
  if (tile) pick(tile);
});
