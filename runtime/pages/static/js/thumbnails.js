// Thumbnails come one at a time, and only for rows in view: the browser has few connections to the
// station, and the station's processor is for reading.
import { byId, el } from "./dom.js";

let queue = [];
let busy = false;
let observer = null;

function next() {
  const place = queue.shift();
  busy = place !== undefined;
  if (!busy) return;
  const image = el("img", { alt: "" });
  const done = (loaded) => {
    if (loaded) place.append(image);
    next();
  };
  image.onload = () => done(true);
  image.onerror = () => done(false);
  image.src = place.dataset.source;
}

export function watch(places) {
  stop();
  observer = new IntersectionObserver(
    (entries) => {
      for (const { isIntersecting, target } of entries) {
        if (!isIntersecting) continue;
        observer.unobserve(target);
        queue.push(target);
      }
      if (!busy) next();
    },
    { root: byId("files") },
  );
  for (const place of places) observer.observe(place);
}

export function stop() {
  observer?.disconnect();
  queue = [];
}
