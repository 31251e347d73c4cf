// The text field that is typed in, whichever it is: all that a key of the keyboard does to it.
const WITHOUT_TEXT = ["button", "checkbox", "color", "file", "hidden", "image", "radio", "range", "reset", "submit"];

export function isTextField(node) {
  if (!(node instanceof HTMLElement) || node.readOnly || node.disabled) return false;
  if (node instanceof HTMLInputElement) return !WITHOUT_TEXT.includes(node.type);
  return node instanceof HTMLTextAreaElement || node.isContentEditable;
}

export const field = () => (isTextField(document.activeElement) ? document.activeElement : null);

// Fields that Chinese is not for: numbers, PINs, passphrases.
export const wantsLatin = (node) => ["password", "number", "tel", "email", "url"].includes(node?.type);
export const wantsDigits = (node) => ["number", "tel"].includes(node?.type) || node?.inputMode === "numeric";

// The browser's own way of typing: its undo knows about it, and `input` events are sent.
export function write(text) {
  if (field()) document.execCommand("insertText", false, text);
}

// A key that is no character, to whom listens: returns whether nobody took it.
function press(key) {
  const event = new KeyboardEvent("keydown", { key, code: key, bubbles: true, cancelable: true });
  return field()?.dispatchEvent(event) ?? false;
}

export function erase() {
  if (press("Backspace") && field()) document.execCommand("delete");
}

export function enter() {
  const node = field();
  if (!node || !press("Enter")) return;
  if (node instanceof HTMLTextAreaElement) write("\n");
  else node.form?.requestSubmit();
}

export function move(step) {
  const node = field();
  if (!node || !press(step < 0 ? "ArrowLeft" : "ArrowRight")) return;
  if (node.isContentEditable || node.selectionStart === null) {
    getSelection().modify("move", step < 0 ? "backward" : "forward", "character");
    return;
  }
  const edge = step < 0 ? node.selectionStart : node.selectionEnd;
  const next = node.selectionStart === node.selectionEnd ? edge + step : edge;
  const place = Math.max(0, Math.min(node.value.length, next));
  node.setSelectionRange(place, place);
}
