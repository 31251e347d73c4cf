// How results go out: which formats, what makes a file, evidence; and QR codes of short texts.
import { get, put } from "../api.js";
import { ask, openDialog, tell } from "../dialogs.js";
import { byId, el, svg } from "../dom.js";
import { t } from "../words.js";
import * as review from "./review.js";
import * as saving from "./saving.js";

const PER = [["page", "G"], ["document", "D"], ["batch", "B"]];
let known = null; // as the station remembers it
let wanted = null; // as it stands in the dialog

export function remember(state, spokenAnew) {
  known = state.exports;
  if (spokenAnew && openDialog()?.id === "ask-exports") draw();
}

function press(place, on) {
  place.setAttribute("aria-pressed", String(on));
}

function formatButton(form, number) {
  const button = el("button", { type: "button" }, el("span", {}, el("b", {}, t(`exports.${form}`)), el("small", {}, t(`exports.${form}_what`))));
  button.append(el("kbd", {}, String(number + 1)));
  press(button, wanted.formats.includes(form));
  button.addEventListener("click", () => {
    const on = !wanted.formats.includes(form);
    wanted.formats = known.offered.filter((each) => (each === form ? on : wanted.formats.includes(each)));
    press(button, on);
    check();
  });
  return button;
}

function perButton([per, key]) {
  const button = el("button", { type: "button", attributes: { role: "radio" } }, t(`per.${per}`), el("kbd", {}, key));
  button.addEventListener("click", () => {
    wanted.per = per;
    check();
  });
  return button;
}

function check() {
  for (const [place, [per]] of PER.entries()) {
    byId("exports-per").children[place].setAttribute("aria-checked", String(per === wanted.per));
  }
  press(byId("exports-evidence"), wanted.evidence);
  byId("exports-who").disabled = !wanted.evidence;
  byId("exports-none").hidden = wanted.formats.length > 0;
  document.querySelector('[data-do="save-chosen"]').disabled = wanted.formats.length === 0;
}

byId("exports-evidence").addEventListener("click", () => {
  wanted.evidence = !wanted.evidence;
  check();
});

byId("exports-who").addEventListener("keydown", (event) => {
  if (event.key === "Enter" && !event.isComposing) document.querySelector('[data-do="save-chosen"]').click();
});

function open() {
  wanted = { formats: [...known.formats], per: known.per, evidence: known.evidence, who: known.who };
  byId("exports-who").value = wanted.who;
  draw();
  ask("ask-exports");
}

function draw() {
  byId("exports-formats").replaceChildren(...known.offered.map(formatButton));
  byId("exports-per").replaceChildren(...PER.map(perButton));
  check();
}

async function saveChosen() {
  await put("exports", { ...wanted, who: byId("exports-who").value.trim() });
  await saving.actions.save();
}

// Where the person is in the review; "" is the whole page.
function here() {
  const number = Number.parseInt(byId("review-number").textContent, 10) - 1;
  return review.place?.() ?? { number, target: "" };
}

async function showCode(whole) {
  await saving.settle();
  const { number, target } = here();
  const place = whole ? "" : target;
  let code;
  try {
    code = await get(`pages/${number}/qr?target=${encodeURIComponent(place)}`);
  } catch (error) {
    return tell(error.code ?? "internal-error");
  }
  byId("qr-code").setAttribute("viewBox", `0 0 ${code.side} ${code.side}`);
  byId("qr-code").replaceChildren(svg("path", { d: code.path, "shape-rendering": "crispEdges" }));
  byId("qr-text").textContent = code.text;
  byId("qr-whole").hidden = place === "";
  ask("qr");
}

export const actions = {
  "open-exports": () => saving.settle().then(open),
  "save-chosen": saveChosen,
  "show-qr": () => showCode(false),
  "show-qr-page": () => showCode(true),
};
