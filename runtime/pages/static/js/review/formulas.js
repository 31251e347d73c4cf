// LaTeX drawn as formulas, by KaTeX from the station itself.
import { katex } from "../vendor.js";

const OPTIONS = { throwOnError: false, trust: false, strict: "ignore", maxSize: 30, maxExpand: 500 };

export async function drawIn(place) {
  const found = [...place.querySelectorAll(".math:not(.drawn)")];
  if (!found.length) return;
  const { render } = await katex();
  for (const node of found) draw(render, node, node.textContent, node.dataset.display === "true");
}

function draw(render, node, latex, displayMode) {
  render(latex, node, { ...OPTIONS, displayMode });
  node.classList.add("drawn");
}
