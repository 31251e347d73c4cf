// The station's figures over time, drawn by uPlot: ink on paper, one line a chart.
import { byId, el } from "../dom.js";
import { t } from "../words.js";
import { get } from "./api.js";
import { hour, second } from "./figures.js";

const PART = { scale: 100, unit: "%", least: 0, most: 100 };
// `room`: what the axis shows at the least. A few pages of a hundred that fail must be seen.
const FEW = { scale: 100, unit: "%", least: 0, room: 10 };
const CHARTS = {
  latency_s: { scale: 1, unit: "s", least: 0 },
  pages_a_minute: { scale: 1, unit: "", least: 0 },
  error_rate: FEW,
  queue: { scale: 1, unit: "", least: 0 },
  cpu: PART,
  memory: PART,
  gpu: PART,
  vram: PART,
};
// In its first minutes a station would have the same minute along the whole axis.
const times = (_, ticks) => ticks.map(ticks[1] - ticks[0] < 60 ? second : hour);
const style = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

let span = "hour";
let drawn = new Map();
let columns = null;

export async function load(wanted = span) {
  span = wanted;
  columns = await get(`history?span=${span}`);
  draw();
}

function figure(name, value) {
  if (value === null || value === undefined) return "–";
  const { scale, unit } = CHARTS[name];
  const shown = value * scale;
  return `${shown < 10 && unit !== "%" ? shown.toFixed(1) : Math.round(shown)}${unit && " "}${unit}`;
}

function draw() {
  for (const [name, chart] of Object.entries(CHARTS)) {
    const box = drawn.get(name) ?? frame(name);
    const values = columns[name];
    const last = values.findLast((value) => value !== null);
    box.now.textContent = figure(name, values.at(-1));
    box.title.textContent = t(`admin_chart.${name}`);
    box.none.hidden = last !== undefined;
    box.none.textContent = t(name === "gpu" || name === "vram" ? "admin.no_card" : "admin.no_figures");
    box.place.hidden = last === undefined;
    box.place.ariaLabel = [box.title.textContent, box.now.textContent].join(" ");
    if (last === undefined) continue;
    const data = [columns.at, values.map((value) => (value === null ? null : value * chart.scale))];
    const size = { width: box.place.clientWidth, height: box.place.clientHeight };
    if (box.plot === null) box.plot = plot(name, chart, data, size, box.place);
    else {
      box.plot.setSize(size);
      box.plot.setData(data);
    }
    box.place.dataset.points = String(values.filter((value) => value !== null).length);
  }
  document.querySelector('[data-do="span-hour"]').setAttribute("aria-pressed", String(span === "hour"));
  document.querySelector('[data-do="span-day"]').setAttribute("aria-pressed", String(span === "day"));
}

function frame(name) {
  const box = {
    title: el("h2"),
    now: el("b", { className: "figure" }),
    place: el("div", { className: "plot", attributes: { role: "img" } }),
    none: el("p", { className: "hollow" }),
    plot: null,
  };
  byId("charts").append(el("figure", { data: { series: name } }, el("figcaption", {}, box.title, box.now), box.place, box.none));
  drawn.set(name, box);
  return box;
}

function plot(name, chart, data, size, place) {
  const rule = { stroke: style("--faded"), grid: { stroke: style("--rule"), width: 1 }, ticks: { show: false }, font: "12px sans-serif" };
  const most = (top) => chart.most ?? Math.max(chart.room ?? 1, top * 1.15);
  return new window.uPlot(
    {
      ...size,
      legend: { show: false },
      cursor: { show: false },
      padding: [8, 8, 0, 0],
      scales: { y: { range: (_, low, top) => [chart.least, most(top ?? 1)] } },
      axes: [{ ...rule, size: 22, space: 70, values: times }, { ...rule, size: 34 }],
      series: [
        {},
        {
          stroke: name === "error_rate" ? style("--seal") : style("--ink"),
          fill: name === "error_rate" ? style("--seal-wash") : style("--wash"),
          width: 1.5,
          points: { size: 5 },
          spanGaps: false,
        },
      ],
    },
    data,
    place,
  );
}

addEventListener("resize", () => {
  if (columns && !byId("overview").hidden) draw();
});
