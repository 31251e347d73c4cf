// Forgetting a batch: the dialogs about it, and telling the station that somebody is there.
import { post } from "../api.js";
import { ask, dismiss, openDialog } from "../dialogs.js";
import { byId } from "../dom.js";
import { t } from "../words.js";

const AWAKE_MS = 10000;
let stage = "nothing";
let left = 0;
let received = 0;
let times = null;
let held = 0;
let unsaved = false;
let told = 0;
let watches = false;

export function render(state) {
  const { forgetting } = state;
  if (times !== null && forgetting.times !== times) return anew();
  ({ stage, left_s: left, times, pages: held, watches } = forgetting);
  received = performance.now();
  unsaved = Boolean(state.reading?.unsaved);
  byId("has-batch").hidden = held === 0 || state.screen === "saving";
  const wanted = { warning: "idle", covered: "covered" }[stage];
  document.body.dataset.covered = String(stage === "covered");
  const open = openDialog()?.id;
  if (wanted && open !== wanted && open !== "ask-forget") put(wanted);
  if (!wanted && (open === "idle" || open === "covered")) dismiss();
  tick();
}

// Whatever closes while the page is covered, the cover comes back. Its title has the focus: a key that is hit by
// chance must not press a button.
function put(id) {
  const dialog = ask(id);
  if (id === "covered") dialog.querySelector("h1").focus();
}
document.addEventListener("close", () => stage === "covered" && !openDialog() && put("covered"), true);

// The page forgets as well: what it has drawn, what its scripts remember, what its browser has kept.
async function anew() {
  times = null;
  await post("forgotten").catch(() => {});
  location.reload();
}

// Called once a second.
export function tick() {
  if (stage !== "warning") return;
  const seconds = Math.max(0, Math.ceil(left - (performance.now() - received) / 1000));
  byId("idle-left").textContent = t("idle.left", { s: seconds, count: held });
}

function touched() {
  if (!watches) return;
  if (performance.now() - told < AWAKE_MS && stage !== "warning") return;
  told = performance.now();
  post("awake").catch(() => {});
}
for (const name of ["pointerdown", "pointermove", "keydown", "wheel"]) document.addEventListener(name, touched, { passive: true });

export const actions = {
  forget: () => {
    byId("forget-what").textContent = t("forget.what", { count: held });
    byId("forget-unsaved").hidden = !unsaved;
    ask("ask-forget");
  },
  "forget-now": () => post("forget"),
  awake: () => post("awake"),
  uncover: () => post("uncover"),
};
