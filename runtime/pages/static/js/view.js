// How the page looks: large type, high contrast. Kept while the browser runs, for all pages of the station.
import { ask } from "./dialogs.js";
import { byId } from "./dom.js";

const CHOICES = ["large", "contrast"];
const root = document.documentElement;
const kept = (choice) => sessionStorage.getItem(`view-${choice}`) === "on";

function apply() {
  for (const choice of CHOICES) {
    root.classList.toggle(choice, kept(choice));
    byId(`view-${choice}`).ariaPressed = String(kept(choice));
  }
  dispatchEvent(new Event("resize"));
}

function toggle(choice) {
  sessionStorage.setItem(`view-${choice}`, kept(choice) ? "off" : "on");
  apply();
}

for (const choice of CHOICES) byId(`view-${choice}`).addEventListener("click", () => toggle(choice));
export const actions = { view: () => ask("view") };
apply();
