// What goes on while the person looks elsewhere: the queue, and a folder that is watched.
import { post } from "../api.js";
import { reason, remedy } from "../dialogs.js";
import { byId } from "../dom.js";
import { duration, t } from "../words.js";

let stays = false; // over the pages that are being corrected: nothing may move under the hand when all are read

export function show({ screen, reading, watch }) {
  const elsewhere = reading && screen !== "reading" && (reading.running || screen === "list" || screen === "insert");
  stays = screen === "review" && Boolean(reading) && (stays || reading.running);
  byId("batch").hidden = !elsewhere && !stays;
  byId("batch").firstElementChild.disabled = stays && !reading.running;
  if (elsewhere || stays) byId("batch-told").textContent = told(reading);
  byId("watching").hidden = !watch;
  if (!watch) return;
  const stick = watch.stick || t("stick.unnamed");
  const values = { folder: watch.folder || t("watch.whole"), stick, found: watch.found, saved: watch.saved };
  const kind = watch.problem ? "watch.lost" : watch.refused ? "watch.refused" : "watch.told";
  if (watch.refused) Object.assign(values, { reason: reason(watch.refused), remedy: remedy(watch.refused) });
  byId("watching-told").textContent = t(kind, values);
  byId("watching").classList.toggle("refused", Boolean(watch.problem || watch.refused));
  byId("watch-saves").setAttribute("aria-pressed", String(watch.save));
  byId("watch-saves").onclick = () => post("watch/save", { save: !watch.save });
}

function told(reading) {
  if (!reading.running) return t(stays ? "batch.over" : "batch.done", { count: reading.read });
  const progress = t(reading.paused ? "batch.paused" : "batch.running", { done: reading.finished, total: reading.batch });
  if (reading.left_s === null || reading.paused) return progress;
  return `${progress} · ${t("reading.remaining", { time: duration(reading.left_s) })}`;
}

export const actions = {
  "end-watch": () => post("watch/end"),
};
