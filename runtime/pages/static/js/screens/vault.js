// The vault: its lamp in the header, and its dialogs. Passphrases live in their fields, and leave them at once.
import { get, post, remove } from "../api.js";
import { ask, dismiss, openDialog, reason, remedy } from "../dialogs.js";
import { byId, el, fill, svg } from "../dom.js";
import { bytes, second, spoken, t, tag, write } from "../words.js";

const STAGES = ["begin", "partition", "encrypt", "filesystem", "open"];
const LOOK_AFTER_MS = 250;
const OFFERED_ON = new Set(["insert", "list"]);

let vault = null;
let screen = "";
let wanted = null;
let code = "";
let batch = null;
let zone = null;
const offered = new Set();
let goneClosed = false;
let lockedByHand = false;

const placed = ({ kind, label, size_bytes: size }) =>
  [kind === "boot" ? "vault.on_boot" : "vault.on_stick", { name: label, size: bytes(size) }];
const place = (which) => t(...placed(which));

export function render(state, spokenAnew) {
  const before = vault;
  vault = state.vault;
  screen = state.screen;
  const button = byId("vault-button");
  button.hidden = vault.state === "absent";
  button.dataset.state = vault.state;
  button.firstElementChild.title = t(`vault_state.${vault.state}`);
  if (vault.state !== "gone") goneClosed = false;
  if (before?.state === "open" && vault.state === "locked") lockedByHand = true; // or by the clock: that asks for nothing
  showGone();
  if (openDialog()?.id === "vault-busy") showStage();
  if (openDialog()?.id === "vault") home();
  if (openDialog()?.id === "vault-history" && (spokenAnew || vault.history.revision !== before?.history.revision)) list();
  if (vault.state !== "open" && openDialog()?.id === "vault-history") ask("vault");
  const asked = openDialog()?.id === "vault-unlock" && wanted;
  if (asked && !vault.stage && !vault.vaults.some(({ id }) => id === asked.id)) {
    clear(byId("vault-unlock")); // what it asks for was pulled out
    dismiss();
  }
  offer();
}

// A vault that was just plugged in, or is there at the start: once, and never over other work.
function offer() {
  if (lockedByHand && vault.state !== "open") {
    lockedByHand = false; // the one that comes next is offered again
    for (const { id } of vault.vaults) offered.add(id);
  }
  const fresh = vault.vaults.find(({ id }) => !offered.has(id));
  if (!fresh || vault.state === "open" || vault.stage || openDialog()) return;
  if (!OFFERED_ON.has(screen) && !fresh.pulled) return;
  for (const { id } of vault.vaults) offered.add(id);
  unlock(fresh);
}

function showGone() {
  const bar = byId("vault-gone");
  bar.hidden = vault.state !== "gone" || goneClosed || vault.vaults.some(({ pulled }) => pulled);
  if (bar.hidden) return;
  const words = { n: vault.waiting };
  const key = vault.waiting ? "vault.gone_waiting" : "vault.gone_nothing";
  const small = el("small", { lang: tag(second()) }, t(key, words, second()));
  bar.firstElementChild.replaceChildren(t(key, words), small);
}

function home() {
  const { state, open, places } = vault;
  byId("vault-state").textContent = t(`vault_state.${state}`);
  const more = [];
  if (open) more.push(place(open), t("vault.batches", { n: vault.history.batches }));
  if (open?.repaired) more.push(t("vault.repaired"));
  if (vault.failing) more.push(t("vault.failing"));
  if (state === "none") more.push(t(places.length ? "vault.none_lead" : "vault.no_place"));
  if (state === "gone") more.push(t("vault.gone_waiting", { n: vault.waiting }));
  byId("vault-more").textContent = more.join(" · ");
  byId("vault-found").replaceChildren(
    ...vault.vaults.map((each) =>
      el("li", {}, el("div", {}, el("b", {}, place(each))),
        el("button", { type: "button", onclick: () => unlock(each) }, t("vault.action_unlock")),
        el("button", { type: "button", onclick: () => erase(each) }, t("vault.action_erase"))),
    ),
  );
  show("vault-history", Boolean(open));
  show("vault-lock", Boolean(open) || state === "gone");
  show("vault-change", Boolean(open));
  show("vault-make", !open && places.length > 0);
}

const show = (action, visible) => {
  byId("vault").querySelector(`[data-do="${action}"]`).hidden = !visible;
};

const four = () => String(1000 + (crypto.getRandomValues(new Uint16Array(1))[0] % 9000));

function clear(dialog) {
  for (const field of dialog.querySelectorAll("input:not([type=checkbox], [type=radio])")) field.value = "";
  for (const text of dialog.querySelectorAll("[role=alert], [role=status]")) text.textContent = "";
  for (const bar of dialog.querySelectorAll(".strength i")) bar.style.width = "0";
  for (const peek of dialog.querySelectorAll(".peek")) setPeek(peek, false);
}

// A dialog with a form: its first field is where typing begins.
function begin(id) {
  const dialog = byId(id);
  clear(dialog);
  ask(id);
  dialog.querySelector("input[type=password], input[inputmode]")?.focus();
}

function make() {
  code = four();
  const chosen = vault.places.find(({ kind }) => kind === "boot") ?? (vault.places.length === 1 ? vault.places[0] : null);
  byId("vault-places").replaceChildren(byId("vault-places").firstElementChild, ...vault.places.map((each) => {
    const radio = el("input", { type: "radio", name: "place", value: each.id, checked: each === chosen });
    const note = write(el("small"), each.kind === "boot" ? "vault.boot_keeps" : "vault.stick_erases");
    return el("label", {}, radio, el("span", {}, write(el("span"), ...placed(each)), note));
  }));
  begin("vault-make");
  choose();
}

const placeChosen = () => vault.places.find(({ id }) => id === byId("vault-make").querySelector("input[name=place]:checked")?.value);

function choose() {
  const chosen = placeChosen();
  const erases = chosen?.kind === "stick";
  byId("vault-erases").hidden = !erases;
  if (erases) write(byId("vault-erases").firstElementChild, "vault.type_to_erase", { name: chosen.label, code });
  check();
}

const strong = { "vault-new": false, "vault-changed": false };

function check() {
  const same = (first, again) => byId(first).value !== "" && byId(first).value === byId(again).value;
  const confirmed = placeChosen() && (byId("vault-erases").hidden || byId("vault-confirm").value === code);
  byId("vault-make-go").disabled = !(strong["vault-new"] && same("vault-new", "vault-again") && confirmed);
  byId("vault-change-go").disabled = !(strong["vault-changed"] && same("vault-changed", "vault-changed-again") && byId("vault-old").value);
  byId("vault-erase-go").disabled = byId("vault-erase-confirm").value !== code;
  for (const [again, first, problem] of [["vault-again", "vault-new", "vault-make-problem"], ["vault-changed-again", "vault-changed", "vault-change-problem"]]) {
    const differ = byId(again).value !== "" && !byId(first).value.startsWith(byId(again).value);
    byId(problem).textContent = differ ? t("vault.differ") : "";
  }
}

let asking = 0;
async function weigh(field, bar, text) {
  strong[field] = false;
  const mine = ++asking;
  const passphrase = byId(field).value;
  await new Promise((done) => setTimeout(done, LOOK_AFTER_MS));
  if (mine !== asking) return;
  const { word, share, years, enough } = await post("vault/strength", { passphrase });
  if (mine !== asking || byId(field).value !== passphrase) return;
  strong[field] = enough;
  byId(bar).dataset.word = word;
  fill(bar, share);
  const words = [write(el("span"), `vault_strength.${word}`), " · ", write(el("span"), ...guessed(years))];
  byId(text).replaceChildren(...(word === "none" ? [] : words));
  check();
}

function guessed(years) {
  if (years < 1 / 365) return ["vault.guessed_at_once"];
  if (years < 1) return ["vault.guessed_days", { n: Math.ceil(years * 365) }];
  return years > 1000 ? ["vault.guessed_never"] : ["vault.guessed_years", { n: Math.floor(years) }];
}

function showStage() {
  const at = Math.max(0, STAGES.indexOf(vault.stage ?? "begin"));
  byId("vault-stage").textContent = t(`vault_stage.${STAGES[at]}`);
  fill("vault-stage-bar", (at + 1) / STAGES.length);
}

// Work that takes seconds: the dialog that was open comes back with the reason if it fails.
async function work(from, problem, call) {
  ask("vault-busy");
  showStage();
  try {
    return await call();
  } catch (error) {
    ask(from);
    byId(problem).textContent = `${reason(error.code)}. ${remedy(error.code)}`.replace("。. ", "。").replace(".. ", ". ");
    byId(from).querySelector("input[type=password]")?.select();
    return undefined;
  }
}

async function makeIt() {
  const body = { place: placeChosen().id, passphrase: byId("vault-new").value, recovery: byId("vault-recovery").checked };
  const made = await work("vault-make", "vault-make-problem", () => post("vault/make", body));
  if (!made) return;
  clear(byId("vault-make"));
  if (!made.recovery) return home(ask("vault"));
  const groups = made.recovery.split("-");
  byId("vault-key-text").replaceChildren(groups.slice(0, 4).join(" - "), el("br"), groups.slice(4).join(" - "));
  byId("vault-key-code").replaceChildren(drawn(made.squares));
  ask("vault-key");
}

function drawn(rows) {
  const border = 2;
  const size = rows.length + 2 * border;
  const path = rows.flatMap((row, y) => [...row].map((dark, x) => (dark === "1" ? `M${x + border} ${y + border}h1v1h-1z` : ""))).join("");
  const picture = svg("svg", { viewBox: `0 0 ${size} ${size}`, "shape-rendering": "crispEdges" });
  picture.append(svg("path", { d: path, fill: "#000" }));
  return picture;
}

function unlock(which) {
  wanted = which;
  write(byId("vault-unlock-which"), ...placed(which));
  begin("vault-unlock");
}

async function unlockIt() {
  const body = { vault: wanted.id, passphrase: byId("vault-passphrase").value };
  if (!body.passphrase) return;
  const done = await work("vault-unlock", "vault-unlock-problem", async () => {
    await post("vault/unlock", body);
    return true;
  });
  if (!done) return;
  clear(byId("vault-unlock"));
  dismiss();
}

async function changeIt() {
  const body = { passphrase: byId("vault-old").value, new: byId("vault-changed").value };
  const done = await work("vault-change", "vault-change-problem", async () => {
    await post("vault/change", body);
    return true;
  });
  if (!done) return;
  clear(byId("vault-change"));
  home(ask("vault"));
}

function erase(which) {
  wanted = which;
  code = four();
  write(byId("vault-erase-code"), "vault.type_to_destroy", { code });
  begin("vault-erase");
  check();
}

async function eraseIt() {
  const done = await work("vault-erase", "vault-erase-problem", async () => {
    await post("vault/erase", { vault: wanted.id });
    return true;
  });
  if (done) home(ask("vault"));
}

// By the station's clock face, whose zone need not be the browser's.
const day = ({ at }) =>
  new Date(at * 1000).toLocaleString(tag(spoken()), { dateStyle: "medium", timeStyle: "short", timeZone: zone ?? undefined });

async function list() {
  const search = byId("vault-search").value.trim();
  const told = await get(`vault/history?search=${encodeURIComponent(search)}`);
  zone = told.zone;
  const rows = told.batches.map((each) => {
    const names = each.names.join(spoken() === "zh" ? "、" : ", ");
    return el("li", {},
      el("div", {}, el("b", {}, names), el("small", {}, `${day(each)} · ${t("vault.pages", { n: each.pages })}`)),
      el("button", { type: "button", onclick: () => openAgain(each) }, t("vault.action_open")),
      el("button", { type: "button", onclick: () => forget(each, names) }, t("vault.action_delete")));
  });
  byId("vault-batches").replaceChildren(...(rows.length ? rows : [el("li", { className: "hollow" }, t("vault.no_batches"))]));
}

function openHistory() {
  clear(byId("vault-history"));
  ask("vault-history");
  byId("vault-search").focus();
  return list();
}

async function openAgain({ id }) {
  try {
    await post(`vault/history/${id}/open`);
    dismiss();
  } catch (error) {
    byId("vault-history-problem").textContent = `${reason(error.code)} ${remedy(error.code)}`;
  }
}

function forget(which, names) {
  batch = which;
  byId("vault-forget-which").textContent = `${names} · ${day(which)}`;
  ask("vault-forget");
}

function setPeek(button, open) {
  button.setAttribute("aria-pressed", String(open));
  byId(button.dataset.peek).type = open ? "text" : "password";
}

export const actions = {
  vault: () => {
    ask("vault");
    home();
  },
  "vault-make": make,
  "vault-change": () => begin("vault-change"),
  "vault-lock": async () => {
    lockedByHand = true;
    await post("vault/lock");
    ask("vault");
    home();
  },
  "vault-history": openHistory,
  "vault-key-noted": () => {
    byId("vault-key-text").replaceChildren();
    byId("vault-key-code").replaceChildren();
    ask("vault");
    home();
  },
  "vault-forget": async () => {
    await remove(`vault/history/${batch.id}`);
    await openHistory();
  },
  "vault-close-gone": () => {
    goneClosed = true;
    showGone();
  },
};

const submits = { "vault-make": makeIt, "vault-unlock": unlockIt, "vault-change": changeIt, "vault-erase": eraseIt };
for (const [id, act] of Object.entries(submits)) {
  byId(id).querySelector("form").addEventListener("submit", (event) => {
    event.preventDefault();
    act();
  });
}
for (const peek of document.querySelectorAll(".peek")) {
  peek.addEventListener("click", () => setPeek(peek, peek.getAttribute("aria-pressed") !== "true"));
}
for (const dialog of document.querySelectorAll("dialog[data-holds]")) {
  dialog.addEventListener("cancel", (event) => event.preventDefault());
}
byId("vault-places").addEventListener("change", choose);
for (const id of ["vault-again", "vault-confirm", "vault-old", "vault-changed-again", "vault-erase-confirm"]) byId(id).addEventListener("input", check);
byId("vault-new").addEventListener("input", () => {
  check();
  weigh("vault-new", "vault-bar", "vault-strength");
});
byId("vault-changed").addEventListener("input", () => {
  check();
  weigh("vault-changed", "vault-changed-bar", "vault-changed-strength");
});
byId("vault-search").addEventListener("input", list);
