// What the clerk changed, on its way to the station: one after the other, in the order of the hand.
import { post } from "../api.js";

let pending = Promise.resolve();
let flush = () => {};

// `keep` is called before others wait: it sends what is still only in a field on the screen.
export function beforeSettling(keep) {
  flush = keep;
}

export function send(number, target, text) {
  const sent = pending.then(() => post(`pages/${number}/edit`, { target, text }));
  pending = sent.catch(() => {});
  return sent;
}

// Resolves when every correction has reached the station, or was refused.
export function settled() {
  flush();
  return pending;
}
