// Small ways to make and find elements.
export const byId = (id) => document.getElementById(id);

export function el(tag, properties = {}, ...children) {
  const node = document.createElement(tag);
  const { data = {}, attributes = {}, ...plain } = properties;
  Object.assign(node, plain);
  Object.assign(node.dataset, data);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

export function svg(tag, attributes = {}) {
  const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  return node;
}

export function fill(id, share) {
  byId(id).style.width = `${Math.round(100 * Math.min(1, Math.max(0, share)))}%`;
}
