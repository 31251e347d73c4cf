// The row of candidates above the keys: a page of up to nine, as many as fit; digits choose.
import { byId, el } from "../dom.js";
import * as pinyin from "./pinyin.js";

const MOST = 9;
const FORWARD = ["PageDown", "ArrowDown", "=", "."];
const BACK = ["PageUp", "ArrowUp", "-", ","];

let starts = [0];
let write = () => {};
let inTurn = () => {};

const place = byId("keyboard-candidates");
const count = () => place.children.length;

// `later` runs what it is given once the station has said what the letters may mean.
export function start(writer, later) {
  write = writer;
  inTurn = later;
  pinyin.onChange(draw);
}

// Keys whose meaning lies in the candidates that are shown.
export const chooses = (key) => /^[1-9 ]$/.test(key) || [...FORWARD, ...BACK].includes(key);
export const takes = (key) => /^[1-9 ']$/.test(key) || [...FORWARD, ...BACK, "Escape", "Enter", "Backspace"].includes(key);

export function press(key) {
  if (key === " ") choose(0);
  else if (FORWARD.includes(key)) turn(1);
  else if (BACK.includes(key)) turn(-1);
  else if (/[1-9]/.test(key) && Number(key) <= count()) choose(Number(key) - 1);
}

export function choose(number) {
  const text = pinyin.choose(starts.at(-1) + number);
  if (text) write(text);
}

// A finger means the word that it saw, also when it was quicker than the answer to the last letter.
function touch(number) {
  const { text } = pinyin.candidates()[starts.at(-1) + number];
  inTurn(() => {
    const found = pinyin.candidates().findIndex((each) => each.text === text);
    if (found >= 0) write(pinyin.choose(found));
  });
}

let shownFor = "";

function draw() {
  if (pinyin.typed() !== shownFor) starts = [0];
  shownFor = pinyin.typed();
  byId("keyboard-bar").dataset.composing = String(pinyin.composing());
  byId("keyboard-bar").dataset.behind = String(pinyin.behind());
  byId("keyboard-letters").textContent = pinyin.typed();
  byId("keyboard-traditional").ariaPressed = String(pinyin.isTraditional());
  fillPage();
  byId("keyboard-back").disabled = starts.length === 1;
  byId("keyboard-forward").disabled = starts.at(-1) + count() >= pinyin.candidates().length;
}

function fillPage() {
  const first = starts.at(-1);
  const page = pinyin.candidates().slice(first, first + MOST);
  place.replaceChildren(
    ...page.map((each, number) =>
      el("button", { type: "button", tabIndex: -1, data: { number } }, el("small", {}, String(number + 1)), each.text),
    ),
  );
  // One that is cut off comes on the next page; the first always stands.
  while (count() > 1 && place.scrollWidth > place.clientWidth) place.lastElementChild.remove();
}

async function turn(step) {
  if (step < 0) {
    if (starts.length > 1) starts.pop();
  } else {
    const next = starts.at(-1) + count();
    if (next + MOST > pinyin.candidates().length) await pinyin.more().catch(() => {});
    if (next < pinyin.candidates().length) starts.push(next);
  }
  draw();
}

byId("keyboard-bar").addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (button?.dataset.number) touch(Number(button.dataset.number));
  else if (button?.id === "keyboard-back") turn(-1);
  else if (button?.id === "keyboard-forward") turn(1);
  else if (button?.id === "keyboard-traditional") pinyin.speakTraditional(!pinyin.isTraditional());
});
