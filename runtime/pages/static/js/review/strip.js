// Strips of a page's picture: what stands at one place, upright as it is printed.
import { svg } from "../dom.js";

// Where a page's picture is fetched; the address stays the same while its text is edited.
export const pictureOf = (number, { stamp, has_picture: there }) =>
  there ? `/kiosk/pages/${number}/picture?${stamp.split("-").slice(0, 3).join("-")}` : null;

// `margin`: of the box's height, on every side.
export function strip(page, source, box, margin = 0.2) {
  const across = box.map(([x]) => x);
  const down = box.map(([, y]) => y);
  const [left, top] = [Math.min(...across), Math.min(...down)];
  const [width, height] = [Math.max(...across) - left, Math.max(...down) - top];
  const room = height * margin;
  const view = [left - room, top - room, width + 2 * room, height + 2 * room];
  const drawing = svg("svg", { viewBox: view.join(" "), preserveAspectRatio: "xMinYMid meet", "aria-hidden": "true" });
  const size = { width: page.width || 100, height: page.height || 100 };
  drawing.append(svg("image", { href: source, ...size, preserveAspectRatio: "none" }));
  return drawing;
}
