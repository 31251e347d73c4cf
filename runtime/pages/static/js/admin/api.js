// Talking to the station from behind the PIN. What goes wrong is an Error with the problem's `code` and `wait_s`.
let whenLocked = () => {};
export const onLocked = (action) => {
  whenLocked = action;
};

async function request(method, path, body) {
  const options = { method };
  if (body !== undefined) {
    options.headers = { "Content-Type": "application/json" };
    options.body = JSON.stringify(body);
  }
  const answer = await fetch(`/admin/${path}`, options);
  if (answer.ok) return answer.status === 204 ? null : answer.json();
  let problem = {};
  try {
    problem = await answer.json();
  } catch {
    // not a problem document
  }
  const code = problem.code ?? "internal-error";
  if (code === "pin-wanted" && !path.startsWith("door")) whenLocked();
  throw Object.assign(new Error(code), { code, wait_s: problem.wait_s ?? 0 });
}

export const get = (path) => request("GET", path);
export const post = (path, body) => request("POST", path, body);
export const remove = (path) => request("DELETE", path);
