// Letters that are not yet Chinese, and what they may mean. The station knows the words.
import { get } from "../api.js";

const AT_ONCE = 90;

let letters = "";
let found = [];
let total = 0;
let foundFor = "";
let traditional = false;
let asked = 0;
const listeners = [];
const changed = () => listeners.forEach((each) => each());

export const onChange = (action) => listeners.push(action);
export const composing = () => letters !== "";
// Whether the station has yet to say what the letters may mean.
export const behind = () => foundFor !== letters;
export const typed = () => letters;
export const candidates = () => found;
export const isTraditional = () => traditional;

export function type(letter) {
  letters += letter;
  return look();
}

export function erase() {
  letters = letters.slice(0, -1);
  return look();
}

export function clear() {
  if (!letters) return;
  letters = "";
  look();
}

export function speakTraditional(wanted) {
  traditional = wanted;
  return look();
}

// The text that candidate `number` stands for; letters that it leaves are composed further. Nothing while
// what is shown belongs to fewer letters than are typed: that would be another word than the one meant.
export function choose(number) {
  const chosen = found[number];
  if (!chosen || foundFor !== letters) return "";
  letters = letters.slice(chosen.takes).replace(/^'+/, "");
  look();
  return chosen.text;
}

// More candidates, when the person goes on to them.
export async function more() {
  if (found.length >= total) return;
  const [mine, wanted] = [asked, letters];
  const next = await get(address(wanted, found.length));
  if (mine !== asked) return;
  found = [...found, ...next.candidates];
  changed();
}

const address = (wanted, start) => `pinyin?q=${encodeURIComponent(wanted)}&traditional=${traditional}&start=${start}&count=${AT_ONCE}`;

async function look() {
  asked += 1;
  const mine = asked;
  if (!letters) {
    [found, total, foundFor] = [[], 0, ""];
    changed();
    return;
  }
  changed();
  const answer = await get(address(letters, 0)).catch(() => ({ candidates: [], total: 0 }));
  if (mine !== asked) return;
  [found, total, foundFor] = [answer.candidates, answer.total, letters];
  changed();
}
