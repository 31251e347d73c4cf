// The station getting ready: what is being done, how far it is, and what this machine turned out to be.
import { get } from "../api.js";
import { byId, el, fill } from "../dom.js";
import { bytes, duration, t } from "../words.js";

const SOON_MS = 1500;
const LATER_MS = 15000;
let due = 0;
let busy = false;
let told = null;

// Called once a second while the first screen is shown, and whenever the station says something new.
export async function tick(shown) {
  if (shown !== "insert" || busy || performance.now() < due) return;
  busy = true;
  try {
    told = await get("start");
    const settled = told.steps.every(({ state }) => state === "done" || state === "failed");
    due = performance.now() + (settled ? LATER_MS : SOON_MS);
    draw();
  } catch {
    due = performance.now() + LATER_MS; // it is told by the page that is shown instead
  } finally {
    busy = false;
  }
}

export function render(state, spokenAnew) {
  if (spokenAnew && told) draw();
  if (told && (state.engine.state === "ready") !== (told.engine !== null)) due = 0;
}

const MARKS = { done: "✓", failed: "!", running: "…", waiting: "·" };

function draw() {
  byId("start").hidden = false;
  byId("start-steps").replaceChildren(
    ...told.steps.map(({ name, state, at_s: at }) =>
      el(
        "li",
        { data: { step: name, state } },
        el("b", { attributes: { "aria-hidden": true } }, MARKS[state]),
        el("span", {}, t(`start.${name}`)),
        el("small", {}, at === null ? t(`start_state.${state}`) : t("start.at", { time: duration(at) })),
      ),
    ),
  );
  const engine = told.steps.find(({ name }) => name === "engine");
  const loading = engine.state === "running";
  byId("start-now").textContent = loading ? loadingWords(engine) : machineWords();
  byId("start-bar").hidden = !loading || engine.share === null;
  if (loading && engine.share !== null) fill("start-share", engine.share);
}

function loadingWords({ since_s: since, usual_s: usual, phase }) {
  const words = [t("start.loading", { time: duration(since) })];
  if (phase !== null) words.push(t(`start_phase.${phase}`));
  if (usual !== null) words.push(t(usual > since ? "start.usual" : "start.longer", { time: duration(usual) }));
  if (told.weights_bytes) words.push(t("start.weights", { read: bytes(Math.min(told.read_bytes, told.weights_bytes)), total: bytes(told.weights_bytes) }));
  return `${words.join(" · ")} ${t("start.meanwhile")}`;
}

function machineWords() {
  const words = [t("start.reads", { engine: told.engine })];
  const { tested } = told;
  if (tested) {
    words.push(t(`start_test.${tested.outcome}`, { pages: tested.pages }));
    if (tested.seconds_a_page !== null) words.push(t("start.per_page", { s: tested.seconds_a_page.toFixed(1) }));
    if (tested.cer !== null) words.push(t("start.cer", { part: (100 * tested.cer).toFixed(1) }));
  }
  for (const card of told.cards) words.push(t("start.card", { name: card.name, used: bytes(card.memory_used_bytes), total: bytes(card.memory_bytes) }));
  return words.join(" · ");
}
