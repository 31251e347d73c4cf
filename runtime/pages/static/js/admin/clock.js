// The clock face, and setting it: six figures by keyboard or by the buttons above and below them.
import { byId, el } from "../dom.js";
import { t } from "../words.js";
import { get, post } from "./api.js";
import { keepTimeOf, moment } from "./figures.js";
import { keepFocus } from "./focus.js";

const FIELDS = [
  { name: "year", least: 2025, most: 2099, from: 0, length: 4 },
  { name: "month", least: 1, most: 12, from: 5, length: 2 },
  { name: "day", least: 1, most: 31, from: 8, length: 2 },
  { name: "hour", least: 0, most: 23, from: 11, length: 2 },
  { name: "minute", least: 0, most: 59, from: 14, length: 2 },
  { name: "second", least: 0, most: 59, from: 17, length: 2 },
];
let offset = 0;
let zone = "";
let chosenZone = "";
let board = false;
let told = "";

export function tell({ clock }) {
  offset = clock.at - Date.now() / 1000;
  zone = clock.zone;
  keepTimeOf(zone);
  face();
}

const now = () => Date.now() / 1000 + offset;

export function face() {
  byId("clock-face").textContent = moment(now());
  byId("clock-zone").textContent = [zone || t("admin.machine_zone"), told].filter(Boolean).join(" · ");
}

export async function show() {
  const known = await get("clock");
  board = known.board;
  byId("clock-not-ours").hidden = known.can_set;
  for (const id of ["clock-fields"]) byId(id).hidden = !known.can_set;
  document.querySelector('[data-do="set-clock"]').hidden = !known.can_set;
  chosenZone = zone;
  drawZones(known.zones);
  const shown = moment(now());
  byId("clock-fields").replaceChildren(...FIELDS.map((field) => figure(field, shown.slice(field.from, field.from + field.length))));
  face();
}

function figure({ name, least, most, length }, value) {
  const input = el("input", { type: "text", inputMode: "numeric", maxLength: length, value, id: `clock-${name}`, ariaLabel: t(`admin_clock.${name}`) });
  const step = (by) => () => {
    const wanted = (Number(input.value) || least) + by;
    input.value = String(wanted > most ? least : wanted < least ? most : wanted).padStart(length, "0");
  };
  return el(
    "div",
    {},
    el("span", {}, t(`admin_clock.${name}`)),
    el("button", { type: "button", onclick: step(1), ariaLabel: t("admin.more") }, "▲"),
    input,
    el("button", { type: "button", onclick: step(-1), ariaLabel: t("admin.less") }, "▼"),
  );
}

function drawZones(zones) {
  byId("zones").replaceChildren(
    ...zones.map((name) => {
      const button = el("button", { type: "button", data: { place: `zone-${name}` }, attributes: { "aria-pressed": String(name === chosenZone) } }, name);
      button.onclick = () => {
        chosenZone = name;
        keepFocus(() => drawZones(zones));
      };
      return button;
    }),
  );
}

export async function setZone() {
  if (!chosenZone) return;
  await post("clock", { zone: chosenZone });
  told = t("admin.zone_set");
}

export async function setClock() {
  const [year, month, day, hour, minute, second] = FIELDS.map(({ name, length }) => byId(`clock-${name}`).value.trim().padStart(length, "0"));
  const done = await post("clock", { wall: `${year}-${month}-${day}T${hour}:${minute}:${second}`, zone: chosenZone });
  told = t(done.board ? "admin.clock_set_board" : board ? "admin.clock_set_board_failed" : "admin.clock_set");
}
