// The folders of a stick: the one that is looked into, those in it, and the files below it that are sought.
import { byId, el } from "./dom.js";
import { t } from "./words.js";

export const within = (file, folder) => !folder || file.folder === folder || file.folder.startsWith(`${folder}/`);

// Numbers of the files below `folder` whose name or folder holds `sought`.
export function found(files, folder, sought) {
  const words = sought.toLowerCase();
  const numbers = [];
  files.forEach((file, number) => {
    if (!within(file, folder)) return;
    if (!words || `${file.folder}/${file.name}`.toLowerCase().includes(words)) numbers.push(number);
  });
  return numbers;
}

// Name and count of each folder right below `folder`.
function below(files, folder) {
  const counts = new Map();
  const start = folder ? folder.length + 1 : 0;
  for (const file of files) {
    if (!within(file, folder) || file.folder.length <= folder.length) continue;
    const [name] = file.folder.slice(start).split("/");
    if (name) counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  return counts;
}

export function show(files, folder, open) {
  const bar = byId("folders");
  const inner = below(files, folder);
  bar.hidden = inner.size === 0 && !folder;
  const chips = [];
  if (folder) {
    const up = folder.includes("/") ? folder.slice(0, folder.lastIndexOf("/")) : "";
    chips.push(el("button", { type: "button", onclick: () => open(up) }, t("list.up")), el("b", {}, folder));
  }
  for (const [name, count] of inner) {
    const path = folder ? `${folder}/${name}` : name;
    chips.push(el("button", { type: "button", onclick: () => open(path) }, name, el("small", {}, String(count))));
  }
  bar.replaceChildren(...chips);
}
