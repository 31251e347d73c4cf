// The page's picture with a box for every line, and a loupe on the line at work.
import { byId, el, svg } from "../dom.js";
import { t } from "../words.js";

const ZOOMS = ["fit", "wide", "large"];
let boxes = [];
let page = null;
let source = "";

// `onPick` gets a line's number when its box is pressed, `onHover` a number or null.
export function show(shown, picture, onPick, onHover) {
  page = shown;
  source = picture;
  boxes = [];
  const sheet = byId("sheet");
  byId("loupe").replaceChildren();
  if (!page.has_picture) {
    sheet.replaceChildren(el("p", { className: "hollow" }, t("review.no_picture")));
    return;
  }
  const drawing = svg("svg", { viewBox: `0 0 ${page.width || 100} ${page.height || 100}` });
  drawing.append(image());
  page.lines.forEach((line, number) => {
    const box = svg("polygon", { points: line.box.map((point) => point.join(",")).join(" ") });
    box.classList.toggle("doubtful", line.doubtful);
    box.dataset.line = number;
    box.addEventListener("click", () => onPick(number));
    box.addEventListener("mouseenter", () => onHover(number));
    box.addEventListener("mouseleave", () => onHover(null));
    boxes.push(box);
    drawing.append(box);
  });
  sheet.replaceChildren(drawing);
}

function image() {
  const stretched = page.width ? "none" : "xMidYMid meet";
  const size = { width: page.width || 100, height: page.height || 100 };
  return svg("image", { href: source, ...size, preserveAspectRatio: stretched });
}

export function mark(number) {
  for (const box of byId("sheet").querySelectorAll(".at")) box.classList.remove("at");
  const box = boxes[number];
  byId("loupe").replaceChildren();
  if (!box) return;
  box.classList.add("at");
  if (byId("sheet").dataset.zoom !== "fit") box.scrollIntoView({ block: "center", inline: "center" });
  look(page.lines[number].box);
}

// The loupe shows the line's own strip of the picture; a box that stands steeply is shown upright as it is.
function look(box) {
  const across = box.map(([x]) => x);
  const down = box.map(([, y]) => y);
  const [left, top] = [Math.min(...across), Math.min(...down)];
  const [width, height] = [Math.max(...across) - left, Math.max(...down) - top];
  const margin = height * 0.2;
  const view = [left - margin, top - margin, width + 2 * margin, height + 2 * margin];
  const drawing = svg("svg", { viewBox: view.join(" "), preserveAspectRatio: "xMinYMid meet" });
  drawing.append(image());
  byId("loupe").replaceChildren(drawing);
}

export function hover(number) {
  for (const box of byId("sheet").querySelectorAll(".hover")) box.classList.remove("hover");
  boxes[number]?.classList.add("hover");
}

export function zoom(number) {
  const sheet = byId("sheet");
  sheet.dataset.zoom = ZOOMS[(ZOOMS.indexOf(sheet.dataset.zoom) + 1) % ZOOMS.length];
  mark(number);
}
