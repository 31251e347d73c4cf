// Saving to a stick, until it is safe to remove.
import { post } from "../api.js";
import { ask, dismiss, reason, remedy, tell } from "../dialogs.js";
import { byId, el, fill } from "../dom.js";
import { bytes, t } from "../words.js";
import { settled } from "../review/edits.js";

const NAMES_SHOWN = 24;
let sticks = [];

export function remember(state) {
  sticks = state.sticks.filter((stick) => stick.state !== "unreadable");
}

export function render(state) {
  const { saving } = state;
  if (!saving) return;
  if (saving.state === "failed") {
    byId("save-reason").textContent = reason(saving.problem);
    byId("save-remedy").textContent = remedy(saving.problem);
  } else if (saving.state === "done") {
    showNames(saving);
  } else {
    byId("saving-what").textContent = t(`save.${saving.stage}`, { done: saving.done, total: saving.total });
    byId("saving-stop").hidden = !saving.stoppable;
    const stage = { compose: 0, write: 1, flush: 2, check: 3 }[saving.stage];
    fill("saving-bar", (stage + (saving.total ? saving.done / saving.total : 0)) / 4);
  }
}

function showNames({ pages, left_out, folder, names, stick, closing }) {
  byId("saved-closing").hidden = !closing;
  byId("saved-closing").textContent = closing ? t("saved.closing", { hash: closing.slice(0, 16) }) : "";
  byId("saved-what").textContent = t("saved.what", {
    pages,
    files: names.length,
    folder,
    stick: stick || t("stick.unnamed"),
  });
  if (left_out) byId("saved-what").append(` · ${t("saved.left_out", { count: left_out })}`);
  const shown = names.slice(0, NAMES_SHOWN).map((name) => el("li", {}, name));
  if (names.length > NAMES_SHOWN) {
    shown.push(el("li", {}, t("saved.more", { count: names.length - NAMES_SHOWN })));
  }
  byId("saved-names").replaceChildren(...shown);
}

async function saveTo(stick) {
  dismiss();
  await settled();
  await post("save", { stick });
}

// What is being typed is part of what goes out.
export function settle() {
  document.activeElement?.blur?.();
  return settled();
}

async function save() {
  document.activeElement?.blur?.();
  if (sticks.length === 0) return tell("no-stick");
  if (sticks.length === 1) return saveTo(sticks[0].id);
  byId("which-stick").replaceChildren(
    ...sticks.map((stick, number) => {
      const button = el("button", { type: "button", onclick: () => saveTo(stick.id).catch((e) => tell(e.code)) });
      button.append(`${stick.label || t("stick.unnamed")} ${bytes(stick.size_bytes)}`);
      button.append(el("kbd", {}, String(number + 1)));
      return button;
    }),
  );
  ask("ask-stick");
}

export function key(name) {
  if (name !== "Esc" || byId("save-failed").hidden) return false;
  post("save/close");
  return true;
}

export const actions = {
  save,
  "stop-saving": () => post("save/stop"),
  "close-saving": () => post("save/close"),
  finish: () => post("save/finish"),
};
