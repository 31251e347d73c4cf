// The page's words in the language that is spoken now; the catalogues come with the page.
const catalogues = JSON.parse(document.getElementById("words").textContent);
let language = document.documentElement.lang.startsWith("zh") ? "zh" : "en";

export const spoken = () => language;
export const second = () => (language === "zh" ? "en" : "zh");

// "{count}" is filled in; of "{count:page|pages}" one is taken, by whether the count is 1.
export function t(key, values = {}, inLanguage = language) {
  const text = catalogues[inLanguage][key];
  if (text === undefined) throw new Error(`no words for ${key}`);
  return text
    .replace(/\{(\w+):([^|}]*)\|([^}]*)\}/g, (_, name, one, several) => (Number(values[name]) === 1 ? one : several))
    .replace(/\{(\w+)\}/g, (_, name) => values[name]);
}

// The language of a text, for an element's `lang`: screen readers and fonts go by it.
export const tag = (ofLanguage = language) => (ofLanguage === "zh" ? "zh-CN" : "en");

export const has = (key) => key in catalogues[language];

// Words that follow the language by themselves, whoever spoke them.
export function write(node, key, values = {}) {
  node.dataset.w = key;
  node.dataset.values = JSON.stringify(values);
  node.textContent = t(key, values);
  return node;
}

// Returns whether anything changed.
export function speak(wanted) {
  if (wanted === language) return false;
  language = wanted;
  document.documentElement.lang = tag();
  for (const node of document.querySelectorAll("[data-w]")) write(node, node.dataset.w, JSON.parse(node.dataset.values ?? "{}"));
  for (const node of document.querySelectorAll("[data-w2]")) {
    node.textContent = t(node.dataset.w2, {}, second());
    node.lang = tag(second());
  }
  for (const node of document.querySelectorAll("[data-w-label]")) node.ariaLabel = t(node.dataset.wLabel);
  for (const node of document.querySelectorAll("[data-w-inside]")) node.placeholder = t(node.dataset.wInside);
  return true;
}

export function bytes(count) {
  if (count < 1000 * 1000) return `${Math.max(1, Math.round(count / 1000))} KB`;
  if (count < 1000 ** 3) return `${(count / 1000 ** 2).toFixed(1)} MB`;
  return `${(count / 1000 ** 3).toFixed(1)} GB`;
}

export function duration(seconds) {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 100) return t("time.seconds", { s: whole });
  const [minutes, hours] = [Math.floor(whole / 60), Math.floor(whole / 3600)];
  if (hours < 1) return t("time.minutes", { m: minutes, s: whole % 60 });
  if (hours < 48) return t("time.hours", { h: hours, m: minutes % 60 });
  return t("time.days", { d: Math.floor(hours / 24), h: hours % 24 });
}
