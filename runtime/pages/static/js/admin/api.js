// Talking to the station from behind the PIN. What goes wrong is an Error with the problem's `code` and `wait_s`.
let whenLocked = () => {};
export const onLocked = (action) => {
  whenLocked = action;
};

let asked = new AbortController();
// Nobody waits any longer for what was asked: behind a closed door the answer would be a refusal.
export function letGo() {
  asked.abort();
  asked = new AbortController();
}

const failed = (code, wait_s = 0) => Object.assign(new Error(code), { code, wait_s });

async function request(method, path, body) {
  const options = { method };
  if (method === "GET") options.signal = asked.signal;
  if (body !== undefined) {
    options.headers = { "Content-Type": "application/json" };
    options.body = JSON.stringify(body);
  }
  try {
    const answer = await fetch(`/admin/${path}`, options);
    if (answer.ok) return answer.status === 204 ? null : await answer.json();
    await refused(answer, path);
  } catch (error) {
    throw error.name === "AbortError" ? failed("pin-wanted") : error;
  }
}

async function refused(answer, path) {
  let problem = {};
  try {
    problem = await answer.json();
  } catch {
    // not a problem document
  }
  const code = problem.code ?? "internal-error";
  if (code === "pin-wanted" && !path.startsWith("door")) whenLocked();
  throw failed(code, problem.wait_s);
}

export const get = (path) => request("GET", path);
export const post = (path, body) => request("POST", path, body);
export const remove = (path) => request("DELETE", path);
