// A text corrected in its place. Enter keeps it, Esc does not, Tab keeps it and goes on to the next doubt.
import { el } from "../dom.js";

const PASSED_ON = ["F2", "F9", "F10"]; // shortcuts that work while typing: what is typed is kept first

// `done(text, key)` is called once, with null for a text that is to stay as it was; `key` is what ended it,
// "" where the focus went elsewhere. With `lines` the text may have several, and Shift+Enter begins another.
export function editor({ value, label, lines = false, done }) {
  const field = el("textarea", { value, rows: 1, spellcheck: false, ariaLabel: label });
  const begun = field.value; // line breaks may be written otherwise than in `value`
  let open = true;
  const finish = (keep, key) => {
    if (!open) return;
    open = false;
    const text = lines ? field.value : field.value.replace(/\s*\n+\s*/g, " ");
    done(keep && field.value !== begun ? text : null, key);
  };
  field.addEventListener("blur", () => finish(true, ""));
  field.addEventListener("keydown", (event) => {
    if (event.isComposing) return;
    const { key } = event;
    if (PASSED_ON.includes(key) || (event.ctrlKey && key.toLowerCase() === "s")) return finish(true, "");
    if (key === "Enter" && event.shiftKey && lines) return;
    if (key !== "Enter" && key !== "Escape" && key !== "Tab") return;
    event.preventDefault();
    event.stopPropagation();
    finish(key !== "Escape", key === "Tab" && event.shiftKey ? "Shift+Tab" : key);
  });
  return field;
}

export function begin(field) {
  field.focus();
  field.setSelectionRange(field.value.length, field.value.length);
}
