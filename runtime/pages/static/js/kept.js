// Nothing is dragged out of the page or dropped onto it, and the wheel does not enlarge it: each would lead the
// browser away from the page. Keys and buttons are taken from the browser by the station (kiosk_keys.py).
const refuse = (event) => event.preventDefault();

export function keep() {
  document.addEventListener("dragstart", refuse);
  for (const name of ["dragover", "drop"]) document.addEventListener(name, refuse);
  document.addEventListener("wheel", (event) => event.ctrlKey && refuse(event), { passive: false });
  document.addEventListener("click", (event) => {
    if (event.shiftKey && event.target.closest?.("a[href]")) refuse(event);
  });
}
