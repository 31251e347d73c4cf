// Files that are pasted, or dropped onto the page where there is something to drop them from.
import { byId } from "./dom.js";
import { t } from "./words.js";

const ENDINGS = { "image/png": "png", "image/jpeg": "jpg", "image/webp": "webp", "image/bmp": "bmp", "image/gif": "gif", "image/tiff": "tif" };

// A picture from the clipboard has no name of its own worth keeping.
function nameOf(file, origin) {
  if (origin === "upload" || !file.type.startsWith("image/")) return file.name || t("paste.name");
  const time = new Date().toTimeString().slice(0, 8).replaceAll(":", "-");
  return `${t("paste.name")} ${time}.${ENDINGS[file.type] ?? "png"}`;
}

async function send(file, origin) {
  const address = `/kiosk/upload?origin=${origin}&name=${encodeURIComponent(nameOf(file, origin))}`;
  const answer = await fetch(address, { method: "POST", body: file });
  if (answer.ok) return;
  const problem = await answer.json().catch(() => ({}));
  throw Object.assign(new Error(problem.code), { code: problem.code ?? "internal-error" });
}

async function sendAll(files, origin) {
  for (const file of files) await send(file, origin);
}

export function accept(complain) {
  document.addEventListener("paste", (event) => {
    const files = [...(event.clipboardData?.files ?? [])];
    if (!files.length) return;
    event.preventDefault();
    sendAll(files, "paste").catch(complain);
  });
  const over = (shown) => {
    byId("drop").hidden = !shown;
  };
  document.addEventListener("dragover", (event) => {
    if (![...event.dataTransfer.types].includes("Files")) return;
    event.preventDefault();
    over(true);
  });
  document.addEventListener("dragleave", (event) => event.relatedTarget === null && over(false));
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    over(false);
    sendAll([...event.dataTransfer.files], "upload").catch(complain);
  });
}
