// Keys. A button's visible hint is its shortcut: the one that is written there, and no other table.
import { letGo, openDialog } from "./dialogs.js";
import { byId } from "./dom.js";

const NAMES = { " ": "Space", Escape: "Esc", Delete: "Del", PageUp: "PgUp", PageDown: "PgDn", ArrowUp: "↑", ArrowDown: "↓" };
const ALIASES = { F1: "?", F2: "S", F9: "L", F10: "P", "Ctrl+S": "S" };
const UNDER_OTHER_NAMES = { "Ctrl+Shift+Z": "Ctrl+Y", "Ctrl+F": "F" };
const WHILE_TYPING = new Set([...Object.keys(ALIASES), "F3", "F4"]);

function nameOf(event) {
  if (event.altKey || event.metaKey) return "";
  const key = NAMES[event.key] ?? (event.key.length === 1 ? event.key.toUpperCase() : event.key);
  if (event.shiftKey && (event.ctrlKey || key === "Tab")) return `${event.ctrlKey ? "Ctrl+" : ""}Shift+${key}`;
  return event.ctrlKey ? `Ctrl+${key}` : key;
}

const isTyping = (target) => target instanceof Element && target.closest("textarea, input") !== null;

function buttonFor(key, section) {
  const places = openDialog()
    ? [openDialog()]
    : [byId("notice"), byId("vault-gone"), section, byId("choice"), byId("meanwhile"), document.querySelector("header")];
  for (const place of places) {
    if (place.hidden) continue;
    for (const hint of place.querySelectorAll("button:not(:disabled) > kbd")) {
      if (hint.textContent === key && hint.offsetParent !== null) return hint.parentElement;
    }
  }
  return null;
}

// `screen()` gives the section that is shown and its own key handler, which is asked first.
export function listen(screen) {
  document.addEventListener("keydown", (event) => {
    if (event.isComposing || event.defaultPrevented) return;
    const name = nameOf(event);
    const target = letGo() ? document.body : event.target;
    if (isTyping(target) && !WHILE_TYPING.has(name)) return;
    const { section, key } = screen();
    const onButton = target instanceof HTMLButtonElement && (name === "Enter" || name === "Space");
    if (onButton) return;
    const wanted = ALIASES[name] ?? UNDER_OTHER_NAMES[name] ?? name;
    const handled = !openDialog() && key !== undefined && key(wanted);
    const button = handled ? null : buttonFor(wanted, section);
    if (handled || button || WHILE_TYPING.has(name)) event.preventDefault();
    button?.click();
  });
  // A mouse or a finger leaves the focus where it is, so that Enter goes on meaning the same.
  document.addEventListener("mousedown", (event) => {
    if (event.target.closest?.("button")) event.preventDefault();
  });
  document.addEventListener("contextmenu", (event) => event.preventDefault());
}
