// Talking to the station. What goes wrong is an Error with the problem's `code`.
const AGAIN_MS = 500;
const GIVE_UP_MS = 60000;
const CORRECTION = /^pages\/\d+\/(edit|confirm)$/;

// A station that is being started again answers a little later. What may be said twice is said again until then:
// questions, and corrections, which put a text in its place.
async function answered(method, path, options) {
  const begun = performance.now();
  for (;;) {
    try {
      return await fetch(`/kiosk/${path}`, options);
    } catch (error) {
      const repeatable = method === "GET" || method === "PUT" || CORRECTION.test(path);
      if (!repeatable || performance.now() - begun > GIVE_UP_MS) throw error;
      await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
    }
  }
}

async function request(method, path, body) {
  const options = { method };
  if (body instanceof Blob) {
    options.headers = { "Content-Type": body.type };
    options.body = body;
  } else if (body !== undefined) {
    options.headers = { "Content-Type": "application/json" };
    options.body = JSON.stringify(body);
  }
  const answer = await answered(method, path, options);
  if (answer.ok) return answer.status === 204 ? null : answer.json();
  let code = "internal-error";
  try {
    code = (await answer.json()).code ?? code;
  } catch {
    // not a problem document: the code above stands
  }
  throw Object.assign(new Error(code), { code });
}

export const get = (path) => request("GET", path);
export const post = (path, body) => request("POST", path, body);
// Bytes as they are, with their own type.
export const send = (path, blob) => request("POST", path, blob);
export const put = (path, body) => request("PUT", path, body);
export const remove = (path) => request("DELETE", path);
