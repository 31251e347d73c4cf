// Talking to the station. What goes wrong is an Error with the problem's `code`.
async function request(method, path, body) {
  const options = { method };
  if (body instanceof Blob) {
    options.headers = { "Content-Type": body.type };
    options.body = body;
  } else if (body !== undefined) {
    options.headers = { "Content-Type": "application/json" };
    options.body = JSON.stringify(body);
  }
  const answer = await fetch(`/kiosk/${path}`, options);
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
