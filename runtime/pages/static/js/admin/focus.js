// What is drawn anew every few seconds takes nobody away from the button that Tab led to: it is known by
// its data-place, and the new one gets the focus of the old.
const place = () => document.activeElement?.dataset?.place;

export function keepFocus(draw) {
  const before = place();
  draw();
  if (before === undefined || place() === before) return;
  document.querySelector(`[data-place="${CSS.escape(before)}"]`)?.focus({ preventScroll: true });
}
