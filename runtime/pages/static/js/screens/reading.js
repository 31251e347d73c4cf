// Pages being read: what is being done now, how far everything is, for how long.
import { get } from "../api.js";
import { reason } from "../dialogs.js";
import { byId, el, fill } from "../dom.js";
import { duration, t } from "../words.js";

let revision = null;
let reading = null;
let received = 0;

export async function render(state) {
  reading = state.reading;
  received = performance.now();
  if (!reading) return;
  show();
  tick();
  if (reading.revision !== revision) {
    revision = reading.revision;
    showPages((await get("pages")).pages);
  }
}

function show() {
  const { current } = reading;
  byId("reading-count").textContent = t("reading.count", { done: reading.finished, total: reading.batch });
  const share = current?.total ? current.done / current.total : 0;
  fill("batch-bar", (reading.finished + share) / reading.batch);
  fill("page-bar", share);
  if (!current) return;
  byId("reading-name").textContent = current.name;
  const key = current.stage === "recognise" && current.total ? "stage.recognise_lines" : `stage.${current.stage}`;
  byId("reading-stage").textContent = t(key, { done: current.done, total: current.total });
}

// Called once a second while this screen is shown.
export function tick() {
  if (!reading) return;
  const passed = (performance.now() - received) / 1000;
  const total = reading.elapsed_s + passed;
  byId("reading-time").textContent = t("reading.elapsed", { time: duration(total) }) + remaining(total);
  const page = reading.current ? reading.current.elapsed_s + passed : 0;
  byId("reading-page-time").textContent = t("reading.page_elapsed", { time: duration(page) });
}

function remaining(total) {
  const left = reading.batch - reading.finished;
  if (!reading.finished || !left || !reading.current) return "";
  const eachPage = (total - reading.current.elapsed_s) / reading.finished;
  const time = duration(Math.max(1, left * eachPage - reading.current.elapsed_s));
  return ` · ${t("reading.remaining", { time })}`;
}

function showPages(pages) {
  const list = byId("reading-pages");
  list.replaceChildren(
    ...pages.map((page) =>
      el(
        "li",
        { data: { status: page.status } },
        el("span", {}, page.name),
        el("span", {}, page.code ? reason(page.code) : t(`status.${page.status}`)),
      ),
    ),
  );
  list.querySelector('[data-status="reading"]')?.scrollIntoView({ block: "nearest" });
}

export const enter = () => {
  revision = null;
  byId("reading").querySelector("h1").focus();
};
