// What the station's programs said, and the bundle for whoever mends it.
import { byId, el } from "../dom.js";
import { bytes, t } from "../words.js";
import { get, post } from "./api.js";
import { moment } from "./figures.js";
import { keepFocus } from "./focus.js";

const LEVELS = ["info", "warning", "error"];
let level = "info";
let saving = false;
let saved = null;

export async function show() {
  keepFocus(drawLevels);
  const words = byId("log-words").value.trim();
  const lines = await get(`logs?${new URLSearchParams({ level, words })}`);
  byId("lines").querySelector("tbody").replaceChildren(
    ...lines.map((line) =>
      el(
        "tr",
        { data: { level: line.level } },
        el("td", {}, moment(line.at)),
        el("td", {}, t(`admin_level.${line.level}`)),
        el("td", {}, line.source),
        el("td", {}, line.text),
      ),
    ),
  );
}

function drawLevels() {
  byId("levels").replaceChildren(
    ...LEVELS.map((name) =>
      el(
        "button",
        {
          type: "button",
          data: { place: `level-${name}` },
          attributes: { "aria-pressed": String(name === level) },
          onclick: () => {
            level = name;
            show();
          },
        },
        t(`admin_from.${name}`),
      ),
    ),
  );
}

// One button for each stick that is there.
export function sticks(now, complain) {
  const usable = now.sticks.filter((stick) => stick.state !== "unreadable" && stick.writable !== false);
  byId("bundle-to").replaceChildren(
    ...usable.map((stick) => {
      const name = stick.label || t("stick.unnamed");
      const button = el("button", { type: "button", className: "main", data: { stick: stick.label, place: `bundle-${stick.id}` } }, t("admin.bundle_to", { stick: `${name} ${bytes(stick.size_bytes)}` }));
      button.disabled = saving;
      button.onclick = () => save(stick.id, now, complain);
      return button;
    }),
  );
  const word = saving ? "admin.bundle_saving" : saved ? "admin.bundle_saved" : usable.length ? "admin.logs_lead" : "admin.bundle_no_stick";
  byId("bundle-lead").textContent = t(word, { name: saved ?? "" });
}

async function save(stick, now, complain) {
  saving = true;
  saved = null;
  sticks(now, complain);
  try {
    const { folder, names } = await post("bundle", { stick });
    saved = `${folder}/${names[0]}`;
  } catch (error) {
    complain(error);
  } finally {
    saving = false;
    sticks(now, complain);
  }
}

let typing = null;
byId("log-words").addEventListener("input", () => {
  clearTimeout(typing);
  typing = setTimeout(show, 250);
});
