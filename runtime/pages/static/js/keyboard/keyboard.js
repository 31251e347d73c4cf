// The keyboard on the page: it shows while a text field is typed in, when a finger chose the field or F8 asked
// for it. A keyboard on the table types pinyin through it too. The field never loses the focus.
import { byId, el } from "../dom.js";
import { t } from "../words.js";
import * as bar from "./candidates.js";
import { enter, erase, field, isTextField, move, wantsDigits, wantsLatin, write } from "./field.js";
import { LAYOUTS } from "./layouts.js";
import * as pinyin from "./pinyin.js";

let wanted = false;
let byTouch = false;
let layout = "chinese";
let upper = false;
// Typed ahead: what chooses a candidate before the candidates are there, and all that follows it.
let ahead = [];

const panel = byId("keyboard");
const shown = () => !panel.hidden;
const chinese = () => layout === "chinese";

const inTurn = (action) => {
  if (ahead.length || pinyin.behind()) ahead.push(action);
  else action();
};
let catchingUp = false;
pinyin.onChange(() => {
  if (catchingUp) return; // one after the other: a choice is written before the next key is taken
  catchingUp = true;
  while (ahead.length && !pinyin.behind()) ahead.shift()();
  catchingUp = false;
});

function giveUp() {
  ahead = [];
  pinyin.clear();
}

const actions = {
  space: () => inTurn(() => (pinyin.composing() ? bar.choose(0) : write(" "))),
  enter: () => (pinyin.composing() ? commitLetters() : enter()),
  erase: () => (pinyin.composing() ? pinyin.erase() : erase()),
  left: () => move(-1),
  right: () => move(1),
  hide: () => toggle(false),
  upper: () => {
    upper = !upper;
    draw();
  },
};

function commitLetters() {
  const letters = pinyin.typed();
  pinyin.clear();
  write(letters);
}

function press(key) {
  if (LAYOUTS[key]) change(key);
  else if (actions[key]) actions[key]();
  else if (chinese() && /^[a-z']$/.test(key) && (key !== "'" || pinyin.composing())) pinyin.type(key);
  else {
    const text = upper ? key.toUpperCase() : key;
    inTurn(() => {
      if (pinyin.composing()) bar.choose(0);
      write(text);
    });
  }
}

function change(next) {
  giveUp();
  layout = next;
  upper = false;
  draw();
}

function draw() {
  const rows = LAYOUTS[layout].map((row) => el("div", { className: "keys" }, ...row.map(button)));
  byId("keyboard-keys").replaceChildren(...rows);
  byId("keyboard-keys").lang = chinese() ? "zh-CN" : "en";
  byId("keyboard-bar").dataset.chinese = String(chinese());
}

function button(key) {
  const named = key.length > 1;
  const text = named ? t(`key.${key}`) : upper ? key.toUpperCase() : key;
  const node = el("button", { type: "button", className: named ? `named ${key}` : "", data: { key }, tabIndex: -1 }, text);
  if (named) node.ariaLabel = t(`key_label.${key}`);
  if (key === "upper") node.ariaPressed = String(upper);
  return node;
}

function toggle(open) {
  wanted = open;
  place();
}

// Where the focus is decides: a field shows the keyboard or, while nobody asked for it, the button for it.
function place() {
  const node = field();
  const open = node !== null && wanted;
  byId("keyboard-show").hidden = node === null || wanted;
  if (!open) giveUp();
  if (open !== shown()) {
    if (open) change(wantsDigits(node) ? "symbols" : wantsLatin(node) ? "latin" : layout === "symbols" ? "chinese" : layout);
    panel.hidden = !open;
  } else if (open && (wantsLatin(node) || wantsDigits(node)) && chinese()) {
    change(wantsDigits(node) ? "symbols" : "latin");
  }
  // What is outside an open dialog can't be touched.
  const home = node?.closest("dialog") ?? document.body;
  for (const part of [panel, byId("keyboard-show")]) if (part.parentElement !== home) home.append(part);
  document.documentElement.style.setProperty("--keyboard", open ? `${panel.offsetHeight}px` : "0px");
  if (open) node.scrollIntoView({ block: "nearest" });
}

// A keyboard on the table, while pinyin is on: the same as the keys on the page.
function typedOnTable(event) {
  if (event.key === "F8") {
    event.preventDefault();
    show();
    return;
  }
  if (!shown() || !chinese() || event.isComposing || !event.isTrusted || !isTextField(event.target)) return;
  if (event.ctrlKey || event.altKey || event.metaKey) return;
  const { key } = event;
  const letter = /^[a-z]$/.test(key);
  const handled = letter || (pinyin.composing() && bar.takes(key)) || (ahead.length > 0 && key.length === 1);
  if (!handled) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  if (key === "Escape") giveUp();
  else if (ahead.length || bar.chooses(key)) inTurn(() => take(key));
  else take(key);
}

function take(key) {
  if (/^[a-z]$/.test(key) || (key === "'" && pinyin.composing())) pinyin.type(key);
  else if (key === "Enter") pinyin.composing() ? commitLetters() : enter();
  else if (key === "Backspace") pinyin.composing() ? pinyin.erase() : erase();
  else if (pinyin.composing() && bar.takes(key)) bar.press(key);
  else if (key.length === 1) write(key);
}

export const show = () => {
  if (field()) toggle(!wanted);
  else wanted = !wanted;
};

panel.addEventListener("mousedown", (event) => event.preventDefault());
panel.addEventListener("click", (event) => {
  const key = event.target.closest("[data-key]")?.dataset.key;
  if (key) press(key);
});
byId("keyboard-show").addEventListener("click", () => toggle(true));
document.addEventListener("pointerdown", (event) => {
  byTouch = event.pointerType !== "mouse";
}, true);
document.addEventListener("keydown", typedOnTable, true);
document.addEventListener("focusin", (event) => {
  if (byTouch && isTextField(event.target)) wanted = true;
  place();
});
document.addEventListener("focusout", () => setTimeout(place));
addEventListener("resize", place);
bar.start(write, inTurn);
