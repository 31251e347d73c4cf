// How figures are written: moments as the station's own clock face has them, parts as percentages.
let zone;

// "" for the machine's own.
export const keepTimeOf = (name) => {
  zone = name || undefined;
};

export const percent = (value) => (value === null || value === undefined ? "–" : `${(100 * value).toFixed(1)} %`);
export const number = (value) => (value === null || value === undefined ? "–" : String(Number(value.toFixed(3))));

const PARTS = ["error_rate", "queue_fill", "gpu_memory", "memory", "disk", "selftest_cer"];
const UNITS = { latency_p95_s: "s", clock_behind_s: "s", gpu_celsius: "°C" };

// What an alert's rule looks at, with its unit.
export function signal(name, value) {
  if (PARTS.includes(name)) return percent(value);
  return value === null || !UNITS[name] ? number(value) : `${number(value)} ${UNITS[name]}`;
}

// Swedish writes dates as ISO 8601 does.
export const moment = (at) =>
  at === null || at === undefined ? "–" : new Date(at * 1000).toLocaleString("sv-SE", { timeZone: zone });
export const hour = (at) => moment(at).slice(11, 16);
export const second = (at) => moment(at).slice(11, 19);
