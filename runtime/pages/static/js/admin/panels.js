// Alerts, engines, self-tests, keys and the network, drawn from what the station says of itself.
import { byId, el } from "../dom.js";
import { bytes, duration, has, spoken, t } from "../words.js";
import { get, post, remove } from "./api.js";
import { moment, number, percent, signal } from "./figures.js";

const row = (...cells) => el("tr", {}, ...cells.map((cell) => el("td", {}, cell)));
const fillTable = (id, rows) => byId(id).querySelector("tbody").replaceChildren(...rows);

export function overview(now) {
  const waits = now.last.queue ?? 0;
  byId("facts").textContent = [
    `Inkstick ${now.version} · ${now.profile}`,
    t("admin.up", { time: duration(now.up_s) }),
    t("admin.waiting", { count: Math.round(waits) }),
  ].join(" · ");
}

export function alerts(now) {
  byId("no-alerts").hidden = now.alerts.length > 0;
  byId("tab-alerts").classList.toggle("alarm", now.alerts.length > 0);
  byId("alerts-checked").textContent = t("admin.checked", { time: moment(now.clock.at) });
  byId("firing").replaceChildren(
    ...now.alerts.map((alert) =>
      el(
        "li",
        { className: alert.severity },
        el("h2", {}, t(`admin_severity.${alert.severity}`), ` · ${nameOf(alert.name)}`),
        el("p", { className: "remedy" }, alert.text[spoken()]),
        el("p", { className: "code" }, `${alert.name} · ${alert.signal} = ${signal(alert.signal, alert.value)} · ${moment(alert.since)}`),
      ),
    ),
  );
  fillTable(
    "rules",
    now.rules.map((rule) => {
      const bound = rule.above === null ? `< ${signal(rule.signal, rule.below)}` : `> ${signal(rule.signal, rule.above)}`;
      const made = row(nameOf(rule.name), t(`admin_state.${rule.state}`), signal(rule.signal, rule.value), bound);
      made.dataset.state = rule.state;
      return made;
    }),
  );
  fillTable("over", now.over.map((alert) => row(nameOf(alert.name), moment(alert.since), moment(alert.until))));
}

// The operator's own rules have no name in the catalogue.
const nameOf = (rule) => (has(`admin_rule.${rule}`) ? t(`admin_rule.${rule}`) : rule);

export function engines(now, put) {
  byId("ladder").replaceChildren(
    ...now.engines.map((engine, place) => {
      const state = engine.part === "refused" || engine.part === "standby" ? engine.part : engine.state;
      const facts = [
        engine.version,
        engine.models.join(", "),
        engine.memory_bytes ? bytes(engine.memory_bytes) : "",
        t("admin.parallel", { count: engine.parallel }),
        engine.restarts ? t("admin.restarts", { count: engine.restarts }) : "",
        engine.hangs ? t("admin.hangs", { count: engine.hangs }) : "",
      ].filter(Boolean);
      const first = el("button", { type: "button", data: { place: `first-${engine.name}` }, onclick: () => put(engine.name) }, t("admin.put_first"));
      first.disabled = place === 0 || engine.part === "refused";
      const item = el(
        "li",
        { className: engine.reads ? "reads" : "", data: { engine: engine.name } },
        el("h2", {}, `${place + 1}. ${engine.name}`, el("small", {}, t(`admin_engine.${state}`))),
        el("p", { className: "code" }, facts.join(" · ")),
        el("p", {}, engine.tasks.length ? t("admin.tasks", { tasks: engine.tasks.map(taskName).join(t("admin.comma")) }) : ""),
      );
      if (engine.against.length) {
        item.append(el("p", { className: "warn" }, engine.against.map(against).join(" · ")));
      }
      if (engine.loading_s !== null && state === "loading") item.append(el("p", {}, t("admin.loading_for", { time: duration(engine.loading_s) })));
      item.append(first);
      return item;
    }),
    ...now.cards.map((card) =>
      el(
        "li",
        {},
        el("h2", {}, card.name),
        el("p", { className: "code" }, [
          `${bytes(card.memory_used_bytes)} / ${bytes(card.memory_bytes)}`,
          percent(card.busy),
          card.celsius === null ? "" : `${card.celsius} °C`,
        ].filter(Boolean).join(" · ")),
      ),
    ),
  );
}

const known = (code) => (has(`trouble.${code}`) ? code : "OTHER");
const against = (code) => `${t(`trouble.${known(code)}`)} (${code})`;
const taskName = (task) => (has(`admin_task.${task}`) ? t(`admin_task.${task}`) : task);

export function tests(now) {
  const { state, history } = now.selftest;
  byId("test-state").textContent = t(`admin_test.${state}`);
  document.querySelector('[data-do="test"]').disabled = state === "running";
  byId("no-tests").hidden = history.length > 0;
  byId("test-runs").hidden = history.length === 0;
  fillTable(
    "test-runs",
    history.map((run) => {
      const outcome = el("b", {}, t(`admin_outcome.${run.outcome}`));
      const cell = el("span", {}, outcome, run.why ? ` ${run.why}` : "");
      const made = row(
        `${moment(run.started_at)} · ${t(`admin_trigger.${run.trigger}`)}`,
        cell,
        run.engine ? run.engine.name : "–",
        String(run.figures.pages),
        percent(run.figures.cer),
        percent(run.figures.field_f1),
        run.seconds_a_page === null ? "–" : `${number(run.seconds_a_page)} s`,
        run.engine_memory_bytes ? bytes(run.engine_memory_bytes) : "–",
      );
      made.dataset.outcome = run.outcome;
      return made;
    }),
  );
}

export async function keys(now) {
  byId("keys-open").hidden = now.wants_keys;
  byId("key-list").hidden = !now.wants_keys;
  for (const name of ["make-ocr", "make-admin"]) document.querySelector(`[data-do="${name}"]`).hidden = !now.wants_keys;
  if (!now.wants_keys) return;
  await showFresh(await post("keys/first"));
  await listKeys();
}

async function showFresh(fresh) {
  if (fresh.length === 0) return;
  byId("fresh-keys").hidden = byId("fresh-lead").hidden = false;
  byId("fresh-keys").append(
    ...fresh.flatMap(({ id, scope, key }) => {
      const word = `admin_scope.${scope}`; // drawn once: it follows the language by itself
      return [el("dt", {}, `${id} · `, el("span", { data: { w: word } }, t(word))), el("dd", {}, el("code", {}, key))];
    }),
  );
}

export function forgetFreshKeys() {
  byId("fresh-keys").replaceChildren();
  byId("fresh-keys").hidden = byId("fresh-lead").hidden = true;
}

async function listKeys() {
  const known = await get("keys");
  fillTable(
    "key-list",
    known.map((key) => {
      const revoke = el("button", { type: "button" }, t(key.revoked ? "admin.revoked" : "admin.revoke"));
      revoke.disabled = key.revoked;
      revoke.onclick = () => remove(`keys/${key.id}`).then(listKeys);
      const made = row(key.id, key.scopes.map((scope) => t(`admin_scope.${scope}`)).join(t("admin.comma")), moment(key.made_at), revoke);
      made.dataset.revoked = String(key.revoked);
      return made;
    }),
  );
}

export async function makeKey(scope) {
  const made = await post("keys", { scopes: [scope] });
  await showFresh([{ id: made.id, scope, key: made.key }]);
  await listKeys();
}

export async function network() {
  const { interfaces, air_gapped: gapped, drivers, ports } = await get("network");
  byId("network-verdict").textContent = t(gapped ? "admin.air_gapped" : "admin.not_air_gapped");
  if (drivers === false) byId("network-verdict").append(` ${t("admin.no_drivers")}`);
  fillTable(
    "interfaces",
    interfaces.map((each) => row(each.name, each.loopback ? t("admin.loopback") : each.state, each.address, bytes(each.received_bytes), bytes(each.sent_bytes))),
  );
  byId("network-lead").hidden = !gapped;
  byId("network-ports").textContent = t("admin.listens", { ports: ports.join(t("admin.comma")) });
}
