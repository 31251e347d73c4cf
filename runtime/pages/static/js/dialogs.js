// The page's own dialogs: one open at a time; Enter gives the answer that is drawn in vermilion.
import { byId } from "./dom.js";
import { has, t, write } from "./words.js";

export const openDialog = () => document.querySelector("dialog[open]");

export function ask(id) {
  openDialog()?.close();
  const dialog = byId(id);
  named(dialog);
  dialog.showModal();
  (dialog.querySelector("button.main") ?? dialog.querySelector("button"))?.focus({ preventScroll: true });
  dialog.scrollTop = 0; // one that is higher than the window begins at its heading
  return dialog;
}

// For who hears the page: a dialog is called what its heading says.
function named(dialog) {
  const heading = dialog.querySelector("h1");
  if (!heading) return;
  heading.id ||= `${dialog.id}-heading`;
  dialog.setAttribute("aria-labelledby", heading.id);
}

// Where nothing had the focus before, the browser leaves it on the hidden button or field until it draws again,
// and the next key would go there. Gives whether it was so.
export function letGo() {
  const left = document.activeElement;
  const hidden = Boolean(left?.closest("dialog:not([open])"));
  if (hidden) left.blur?.();
  return hidden;
}

export function dismiss() {
  openDialog()?.close();
  letGo();
}

// Escape closes one without asking anybody.
document.addEventListener("close", letGo, true);

const reasonKey = (code) => (has(`problem.${code}`) ? `problem.${code}` : "problem.internal-error");
const remedyKey = (code) => (has(`remedy.${code}`) ? `remedy.${code}` : "remedy.internal-error");
export const reason = (code) => t(reasonKey(code));
export const remedy = (code) => t(remedyKey(code));

export function tell(code) {
  write(byId("tell-title"), reasonKey(code));
  write(byId("tell-remedy"), remedyKey(code));
  ask("tell");
}
