// Scripts of npm packages, loaded when they are first needed: most pages need neither.
const loaded = new Map();

function load(path) {
  if (!loaded.has(path)) {
    loaded.set(
      path,
      new Promise((resolve, reject) => {
        const script = document.createElement("script");
        script.src = `/vendor/${path}`;
        script.addEventListener("load", resolve);
        script.addEventListener("error", () => {
          loaded.delete(path);
          reject(new Error(path));
        });
        document.head.append(script);
      }),
    );
  }
  return loaded.get(path);
}

export async function openSeadragon() {
  await load("openseadragon/openseadragon.min.js");
  return window.OpenSeadragon;
}

export async function katex() {
  if (!document.getElementById("katex-style")) {
    const style = document.createElement("link");
    Object.assign(style, { id: "katex-style", rel: "stylesheet", href: "/vendor/katex/katex.min.css" });
    document.head.append(style);
  }
  await load("katex/katex.min.js");
  return window.katex;
}
