// The pages' pictures: zoomed by wheel, pinch and keys, moved by dragging, with a box for every place.
import { byId, svg } from "../dom.js";
import { openSeadragon } from "../vendor.js";
import { around, lay } from "./layout.js";
import { pictureOf, strip } from "./strip.js";

const STEP = 1.3;
const WIDER = ["fit", "wide", "large"];

let seadragon = null;
let viewer = null;
let overlay = null;
let laid = [];
let pages = [];
let page = null;
let number = 0;
let view = "one";
let places = []; // { target, box, doubtful } of the page at work
let shapes = new Map();
let at = null;
let images = new Map();
let wide = "fit";
let on = { pick() {}, hover() {}, turn() {} };

const sourceOf = (each) => pictureOf(each, pages[each]);

export function listen(handlers) {
  on = handlers;
}

async function open() {
  seadragon ??= await openSeadragon();
  if (viewer) return;
  // It looks for a style of its own and would add it, which the content policy refuses (review.css has the rule).
  // What it finds is no HTML style, only an element of that name.
  const style = document.createElementNS(null, "style");
  style.setAttribute("data-openseadragon-mobile-css", "true");
  document.head.append(style);
  viewer = seadragon({
    element: byId("sheet"),
    drawer: "canvas",
    showNavigationControl: false,
    animationTime: 0,
    immediateRender: true,
    minZoomImageRatio: 0.6,
    maxZoomPixelRatio: 6,
    visibilityRatio: 0.3,
    preserveImageSizeOnResize: false,
    gestureSettingsMouse: { clickToZoom: false, dblClickToZoom: false },
    gestureSettingsTouch: { clickToZoom: false, dblClickToZoom: true },
    gestureSettingsPen: { clickToZoom: false },
    tabIndex: -1,
  });
  viewer.innerTracker.keyHandler = null;
  viewer.innerTracker.keyDownHandler = null;
  overlay = svg("svg", { class: "boxes", "aria-hidden": "true" });
  viewer.canvas.append(overlay);
  for (const event of ["update-viewport", "resize", "open"]) viewer.addHandler(event, place);
  viewer.addHandler("canvas-click", (event) => {
    if (!event.quick) return;
    const found = hit(event.position);
    if (found) on.pick(found);
  });
  for (const event of ["canvas-drag-end", "canvas-scroll", "canvas-pinch"]) viewer.addHandler(event, follow);
  viewer.canvas.addEventListener("pointermove", (event) => {
    const frame = viewer.canvas.getBoundingClientRect();
    const found = event.buttons ? null : hit(new seadragon.Point(event.clientX - frame.x, event.clientY - frame.y));
    viewer.canvas.classList.toggle("over", found !== null);
    on.hover(found);
  });
  viewer.canvas.addEventListener("pointerleave", () => on.hover(null));
}

// Draw this page among the others. `marks`: its places; the view stays where it is if the page is the same.
export async function show(listing, wanted, shown, marks, { keep = false } = {}) {
  pages = listing;
  page = shown;
  places = marks;
  number = wanted;
  byId("no-picture").hidden = page.has_picture;
  byId("sheet").classList.toggle("hidden", !page.has_picture && view === "one");
  await open();
  if (page !== shown) return;
  const before = laid.find((each) => each.number === number);
  laid = lay(view, pages, number);
  arrange();
  draw();
  if (!keep) home();
  else if (before) shift(before);
}

// Pages came or changed their size: what is looked at stays where it is.
function shift(before) {
  const now = laid.find((each) => each.number === number);
  if (!now || (now.x === before.x && now.y === before.y)) return place();
  const center = viewer.viewport.getCenter(false);
  viewer.viewport.panTo(new seadragon.Point(center.x + now.x - before.x, center.y + now.y - before.y), true);
}

function arrange() {
  const wanted = new Map(laid.filter((each) => pages[each.number].has_picture).map((each) => [sourceOf(each.number), each]));
  for (const [source, held] of images) {
    if (wanted.has(source)) continue;
    images.delete(source);
    if (held.item) viewer.world.removeItem(held.item);
    held.gone = true;
  }
  for (const [source, { x, y }] of wanted) {
    const held = images.get(source);
    if (held) {
      held.x = x;
      held.y = y;
      held.item?.setPosition(new seadragon.Point(x, y), true);
      continue;
    }
    const made = { x, y, item: null, gone: false };
    images.set(source, made);
    viewer.addTiledImage({
      tileSource: { type: "image", url: source, buildPyramid: false },
      x,
      y,
      width: 1,
      success: ({ item }) => {
        if (made.gone) return viewer.world.removeItem(item);
        made.item = item;
        item.setPosition(new seadragon.Point(made.x, made.y), true);
        if (viewer.world.getItemCount() === 1) home(); // with the first one the view is begun anew
        place();
      },
    });
  }
}

function draw() {
  shapes = new Map();
  const group = svg("g");
  for (const { target, box, doubtful, kind } of places) {
    if (!box) continue;
    const shape = svg("polygon", { points: box.map((point) => point.join(",")).join(" ") });
    shape.dataset.target = target;
    if (target.startsWith("line:")) shape.dataset.line = target.slice(5);
    shape.classList.toggle("doubtful", Boolean(doubtful));
    if (kind) shape.classList.add(kind);
    shapes.set(target, { shape, box });
    group.append(shape);
  }
  overlay.replaceChildren(group);
  place();
  if (at) mark(at);
}

// The boxes lie on the page, whatever part of it is seen.
function place() {
  const mine = laid.find((each) => each.number === number);
  const group = overlay?.firstChild;
  if (!mine || !group || !page?.width || !viewer.viewport) return;
  const origin = viewer.viewport.pixelFromPoint(new seadragon.Point(mine.x, mine.y), true);
  const end = viewer.viewport.pixelFromPoint(new seadragon.Point(mine.x + 1, mine.y), true);
  group.setAttribute("transform", `translate(${origin.x} ${origin.y}) scale(${(end.x - origin.x) / page.width})`);
}

function pageAt(point) {
  return laid.find((each) => point.x >= each.x && point.x <= each.x + 1 && point.y >= each.y && point.y <= each.y + each.height);
}

// The smallest place under this point of the screen, or the other page that is there.
function hit(pixel) {
  const point = viewer.viewport.pointFromPixel(pixel, true);
  const found = pageAt(point);
  if (!found) return null;
  if (found.number !== number) return { page: found.number };
  const [x, y] = [(point.x - found.x) * page.width, (point.y - found.y) * page.width];
  let best = null;
  for (const { target, box } of places) {
    if (!box || !holds(box, x, y)) continue;
    const size = area(box);
    if (!best || size < best.size) best = { target, size };
  }
  return best && { target: best.target };
}

function holds(box, x, y) {
  let inside = false;
  box.forEach(([x1, y1], n) => {
    const [x2, y2] = box[(n + 1) % box.length];
    if (y1 > y !== y2 > y && x < ((x2 - x1) * (y - y1)) / (y2 - y1) + x1) inside = !inside;
  });
  return inside;
}

const area = (box) =>
  Math.abs(box.reduce((sum, [x, y], n) => sum + x * box[(n + 1) % box.length][1] - box[(n + 1) % box.length][0] * y, 0));

// In a continuous view the page in the middle of the desk is the one at work.
function follow() {
  if (view !== "continuous") return;
  const found = pageAt(viewer.viewport.getCenter(false));
  if (found && found.number !== number) on.turn(found.number);
}

export function home() {
  if (!viewer?.viewport || !laid.length) return;
  wide = "fit";
  const mine = laid.find((each) => each.number === number);
  const { x, y, width, height } = view === "two" ? around(laid) : { ...mine, width: 1 };
  viewer.viewport.fitBounds(new seadragon.Rect(x - 0.01, y - 0.01, width + 0.02, height + 0.02), true);
}

export function zoom(direction) {
  viewer?.viewport.zoomBy(direction > 0 ? STEP : 1 / STEP, undefined, true);
  viewer?.viewport.applyConstraints(true);
}

// Whole page, its width, twice its width; on the place at work.
export function wider() {
  wide = WIDER[(WIDER.indexOf(wide) + 1) % WIDER.length];
  if (wide === "fit") return home();
  const mine = laid.find((each) => each.number === number);
  const width = wide === "wide" ? 1 : 0.5;
  const frame = viewer.container;
  const height = (width * frame.clientHeight) / frame.clientWidth;
  viewer.viewport.fitBounds(new seadragon.Rect(mine.x, mine.y, width, height), true);
  const found = shapes.get(at);
  if (found) center(found.box);
}

const middle = (box) => [0, 1].map((axis) => box.reduce((sum, point) => sum + point[axis], 0) / box.length);

function center(box) {
  const mine = laid.find((each) => each.number === number);
  const [x, y] = middle(box);
  viewer.viewport.panTo(new seadragon.Point(mine.x + x / page.width, mine.y + y / page.width), true);
  viewer.viewport.applyConstraints(true);
}

export function setView(wanted) {
  view = wanted;
}

export function mark(target) {
  at = target;
  for (const shape of byId("sheet").querySelectorAll("polygon.at")) shape.classList.remove("at");
  const loupe = byId("loupe");
  loupe.replaceChildren();
  const found = shapes.get(target);
  if (!found) return;
  found.shape.classList.add("at");
  found.shape.parentNode.append(found.shape); // above its neighbours
  if (page.has_picture) loupe.replaceChildren(strip(page, pictureOf(number, page), found.box));
  const mine = laid.find((each) => each.number === number);
  if (!mine) return;
  const seen = viewer.viewport.getBounds(false);
  const inside = found.box.every(([x, y]) =>
    seen.containsPoint(new seadragon.Point(mine.x + x / page.width, mine.y + y / page.width)),
  );
  if (!inside) center(found.box);
}

export function hover(target) {
  for (const shape of byId("sheet").querySelectorAll("polygon.hover")) shape.classList.remove("hover");
  shapes.get(target)?.shape.classList.add("hover");
}
