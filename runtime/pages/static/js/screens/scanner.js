// The scanner: how to scan on the left, the pages that came on the right.
import { post } from "../api.js";
import { reason, remedy } from "../dialogs.js";
import { byId, el, fill } from "../dom.js";
import { t } from "../words.js";

const PAPERS = { a4: "scanner.a4", a5: "scanner.a5", whole: "scanner.whole" };
const KINDS = { flatbed: "scanner.flatbed", feeder: "scanner.feeder", duplex: "scanner.duplex" };
const COLOURS = { colour: "scanner.colour", grey: "scanner.grey" };

let state = null;
let at = 0;
let drawn = "";

const button = (name) => document.querySelector(`[data-do="scanner-${name}"]`);

export function render(whole, spokenAnew) {
  state = whole.scanner;
  const ready = state.abilities !== null;
  const busy = state.scanning !== null;
  byId("scanner-name").textContent = state.device ?? "–";
  const source = state.abilities?.sources.find((one) => one.name === state.settings.source);
  byId("scanner-source").textContent = t(KINDS[source?.kind ?? "flatbed"]);
  byId("scanner-colour").textContent = t(COLOURS[state.settings.colour]);
  byId("scanner-resolution").textContent = t("scanner.dpi", { dpi: state.settings.resolution });
  byId("scanner-paper").textContent = t(PAPERS[state.settings.paper]);
  for (const name of ["source", "colour", "resolution", "paper", "scan", "preview"]) button(name).disabled = !ready || busy;
  button("other").disabled = busy || (state.devices?.length ?? 0) < 2;
  button("look").disabled = busy || state.devices === null;
  button("stop").hidden = !busy;
  showNow(busy);
  drawPages(spokenAnew);
}

function showNow(busy) {
  const line = byId("scanner-status");
  const none = state.devices !== null && state.devices.length === 0 && !state.problem;
  byId("scanner-bar").parentElement.hidden = !busy;
  if (busy) {
    fill("scanner-bar", state.scanning.share);
    line.textContent = t("scanner.scanning", { page: state.scanning.page });
  } else if (state.problem) line.textContent = `${reason(state.problem)}: ${remedy(state.problem)}`;
  else if (state.devices === null) line.textContent = t("scanner.looking");
  else if (none) line.textContent = t("scanner.none");
  else line.textContent = t(state.abilities ? "scanner.ready" : "scanner.looking");
  line.classList.toggle("warn", Boolean(state.problem) || none);
}

function drawPages(spokenAnew) {
  const key = JSON.stringify([state.pages, state.preview]);
  const large = byId("scanner-large");
  if (key === drawn && !spokenAnew) return;
  drawn = key;
  byId("scans").replaceChildren(
    ...state.pages.map((id, number) =>
      el(
        "li",
        { data: { n: number }, attributes: { role: "option", "aria-selected": "false" } },
        el("b", {}, String(number + 1)),
        el("img", { src: `/kiosk/scanner/pages/${id}/picture`, alt: t("camera.page", { number: number + 1 }) }),
      ),
    ),
  );
  const count = state.pages.length;
  byId("scans-none").hidden = count > 0;
  byId("scans-count").textContent = t("scanner.count", { count });
  byId("scanner-read-label").textContent = t("camera.read", { count });
  button("read").disabled = button("drop").disabled = count === 0;
  mark(count - 1);
  if (!count && !state.preview) large.replaceChildren();
}

function mark(number) {
  const cards = byId("scans").children;
  at = Math.max(0, Math.min(cards.length - 1, number));
  for (const one of cards) one.setAttribute("aria-selected", String(Number(one.dataset.n) === at));
  cards[at]?.scrollIntoView({ block: "nearest" });
  const shown = state.preview ?? state.pages[at];
  if (!shown) return;
  const source = `/kiosk/scanner/pages/${shown}/picture?large=true`;
  byId("scanner-large").replaceChildren(el("img", { src: source, alt: t("scanner.large") }));
}

const MOVES = { "↑": -1, "↓": 1, PgUp: -4, PgDn: 4, Home: -Infinity, End: Infinity };

export function key(name) {
  if (!(name in MOVES)) return false;
  mark(at + MOVES[name]);
  return true;
}

const after = (all, now) => all[(all.indexOf(now) + 1) % all.length];
const set = (change) => post("scanner/settings", { ...state.settings, ...change });

export const actions = {
  "scanner-open": () => post("scanner/open"),
  "scanner-close": () => post("scanner/close"),
  "scanner-look": () => post("scanner/look"),
  "scanner-other": () => post("scanner/choose", { number: (state.devices.indexOf(state.device) + 1) % state.devices.length }),
  "scanner-source": () => set({ source: after(state.abilities.sources.map((one) => one.name), state.settings.source) }),
  "scanner-colour": () => set({ colour: after(Object.keys(COLOURS), state.settings.colour) }),
  "scanner-resolution": () => set({ resolution: after(state.abilities.resolutions, state.settings.resolution) }),
  "scanner-paper": () => set({ paper: after(Object.keys(PAPERS), state.settings.paper) }),
  "scanner-scan": () => post("scanner/scan", {}),
  "scanner-preview": () => post("scanner/scan", { preview: true }),
  "scanner-stop": () => post("scanner/stop"),
  "scanner-drop": () => post(`scanner/pages/${state.pages[at]}/drop`),
  "scanner-read": () => post("scanner/read"),
};

byId("scans").addEventListener("click", (event) => {
  const item = event.target.closest("li");
  if (item) mark(Number(item.dataset.n));
});
