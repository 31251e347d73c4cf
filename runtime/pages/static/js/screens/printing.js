// Printing: what, where and how often is asked; then how far it is, and what the printer waits for.
import { post } from "../api.js";
import { ask, openDialog, reason, remedy } from "../dialogs.js";
import { byId, el, fill } from "../dom.js";
import { t } from "../words.js";
import * as saving from "./saving.js";

const WHAT = [["text", "T"], ["pdf", "P"]];
const WHICH = [["page", "G"], ["all", "B"]];
const MOST_COPIES = 99;
const chosen = { what: "text", which: "page", printer: null, copies: 1 };
let state = null; // undefined where the profile does not print
let reading = null;

const button = (name) => document.querySelector(`[data-do="print-${name}"]`);
const isOpen = () => openDialog()?.id === "ask-print";
const running = () => state?.job?.state === "making" || state?.job?.state === "printing";

export function remember(whole) {
  state = whole.printing;
  reading = whole.reading;
  byId("open-print").hidden = !state;
  byId("print-now").hidden = !state?.job;
  if (!state) return;
  if (state.job) byId("print-told").textContent = told(state.job);
  if (isOpen()) draw();
}

function told(job) {
  if (job.state === "failed") return reason(job.problem);
  if (job.state === "done") return t("printing.done", { sheets: job.total });
  if (job.halt) return t(`printing_halt.${job.halt}`);
  if (job.state === "making") return t("printing.making");
  return t("printing.sheets", { sheets: job.sheets, total: job.total });
}

// The buttons stay as long as their words do: whoever is on one of them stays there.
function choices(place, group, all, label) {
  const buttons = byId(place);
  const words = JSON.stringify(all.map(([value, key]) => [label(value), key]));
  if (buttons.dataset.words !== words) {
    buttons.dataset.words = words;
    buttons.replaceChildren(...all.map(([value, key]) => choice(group, value, key, label(value))));
  }
  all.forEach(([value], n) => buttons.children[n].setAttribute("aria-checked", String(chosen[group] === value)));
}

function choice(group, value, key, words) {
  const one = el("button", { type: "button", attributes: { role: "radio" } }, words);
  if (key) one.append(el("kbd", {}, key));
  one.addEventListener("click", () => {
    chosen[group] = value;
    draw();
  });
  return one;
}

function draw() {
  const { job, looking, printers, problem } = state;
  const pages = reading?.read ?? 0;
  if (!printers?.some((one) => one.id === chosen.printer)) chosen.printer = printers?.[0]?.id ?? null;
  byId("print-choose").hidden = job !== null;
  choices("print-what", "what", WHAT, (value) => t(`printing.${value}`));
  choices("print-which", "which", WHICH, (value) => t(`printing.${value}`, { count: pages }));
  const names = new Map((printers ?? []).map((one) => [one.id, one.name]));
  choices("print-printers", "printer", [...names.keys()].map((id, n) => [id, names.size > 1 ? String(n + 1) : ""]), (id) => names.get(id));
  byId("print-copies").textContent = String(chosen.copies);
  byId("print-bar").parentElement.hidden = !running();
  fill("print-bar", job?.total ? job.sheets / job.total : 0);
  const waits = job ? job.halt : printers?.find((one) => one.id === chosen.printer)?.halt;
  const none = !job && looking && !printers?.length;
  const wrong = job ? job.problem : none ? null : problem ?? (printers?.length === 0 ? "no-printer" : null);
  let status = none ? t("printing.looking") : "";
  if (job) status = told(job);
  else if (wrong) status = reason(wrong);
  else if (waits) status = t(`printing_halt.${waits}`);
  byId("print-status").textContent = status;
  byId("print-status").classList.toggle("warn", Boolean(wrong || waits));
  byId("print-remedy").hidden = !(wrong || waits);
  byId("print-remedy").textContent = wrong ? remedy(wrong) : waits ? t(`printing_remedy.${waits}`) : "";
  button("look").hidden = job !== null;
  button("look").disabled = looking;
  button("stop").hidden = !running();
  button("start").hidden = job !== null;
  button("start").disabled = chosen.printer === null;
}

function count(step) {
  chosen.copies = Math.max(1, Math.min(MOST_COPIES, chosen.copies + step));
  draw();
}
byId("print-fewer").addEventListener("click", () => count(-1));
byId("print-more").addEventListener("click", () => count(1));
byId("ask-print").addEventListener("close", () => {
  if (state?.job && !running() && !isOpen()) post("printing/close");
});

function open() {
  draw();
  ask("ask-print");
}

async function start() {
  const page = chosen.which === "all" ? null : Number.parseInt(byId("review-number").textContent, 10) - 1;
  await post("printing/print", { what: chosen.what, page, printer: chosen.printer, copies: chosen.copies });
  open();
}

export const actions = {
  "print-open": async () => {
    await saving.settle();
    if (!state.job) {
      chosen.copies = 1;
      await post("printing/look");
    }
    open();
  },
  "print-look": () => post("printing/look").then(open),
  "print-start": start,
  "print-stop": () => post("printing/stop").then(open),
};
