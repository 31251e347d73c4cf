// Thumbnails come one at a time, and only for rows in view: the browser has few connections to the
// station, and the station's processor is for reading. A row that went out of view is forgotten.
import { el } from "./dom.js";

const MOST_WAITING = 40;
const kept = new Map();
const MOST_KEPT = 1500;
let queue = [];
let busy = false;

const seen = new IntersectionObserver((entries) => {
  for (const { isIntersecting, target } of entries) {
    if (!isIntersecting) continue;
    seen.unobserve(target);
    queue.push(target);
  }
  queue = queue.filter((place) => place.isConnected).slice(-MOST_WAITING);
  if (!busy) next();
});

function next() {
  const place = queue.pop();
  busy = place !== undefined;
  if (!busy) return;
  if (!place.isConnected || place.firstChild) return next();
  const { source } = place.dataset;
  const image = el("img", { alt: "" });
  const done = (loaded) => {
    if (loaded) place.append(image);
    kept.set(source, loaded);
    if (kept.size > MOST_KEPT) kept.delete(kept.keys().next().value);
    next();
  };
  image.onload = () => done(true);
  image.onerror = () => done(false);
  image.src = source;
}

// A place for the picture at this address. One that was loaded before is in the browser's own memory.
export function thumb(source) {
  const place = el("span", { className: "thumb", data: { source } });
  if (kept.get(source)) place.append(el("img", { alt: "", src: source }));
  else if (!kept.has(source)) seen.observe(place);
  return place;
}

// The station is there again: what it could not give meanwhile is asked for once more.
export function again() {
  for (const [source, loaded] of kept) if (!loaded) kept.delete(source);
  for (const place of document.querySelectorAll(".thumb:empty")) seen.observe(place);
}

export function stop() {
  queue = [];
}
