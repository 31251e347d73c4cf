#!/usr/bin/env python3
"""How quick the kiosk's page is: its start, long lists, the first result of a batch, the size of its scripts.

    python3 bench/kiosk.py [--loads 9] [--pages 1000]

A real station (gateway, engine, helper) on loopback and Debian's Chromium, as the browser tests have them.
A page is usable once it has drawn the station's state. A list blocks for as long as its longest task, as
the browser itself counts tasks over 50 ms. Prints a table and, last, one line of JSON.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from playwright.sync_api import Browser, Page, sync_playwright

from runtime.kiosk.catalogue import PAGES
from tests.browser import station as stations
from tests.browser.conftest import ARGUMENTS
from tests.browser.station import Station, short

MOST_USABLE_MS, MOST_BLOCKED_MS, MOST_SCRIPT_BYTES = 300, 50, 300_000
_PATIENCE_MS = 300_000
_WATCH = """
  window.tasks = [];
  new PerformanceObserver((list) => window.tasks.push(...list.getEntries().map((task) => task.duration)))
    .observe({ type: "longtask", buffered: true });
  new MutationObserver(() => {
    if (window.usable === undefined && document.getElementById("engine")?.dataset.ready === "true")
      window.usable = performance.now();
  }).observe(document, { subtree: true, childList: true, attributes: true });
"""
_SCROLL = """(id) => new Promise((resolve) => {
  const list = document.getElementById(id);
  let left = 120;
  const step = () => {
    list.scrollTop += left > 60 ? 400 : -400;
    left -= 1;
    if (left) requestAnimationFrame(step);
    else setTimeout(resolve, 500);
  };
  window.tasks.length = 0;
  requestAnimationFrame(step);
})"""


def usable_ms(browser: Browser, url: str, loads: int) -> float:
    """From the navigation to the state on the screen, each time in a browser that knows nothing yet."""
    times = []
    for _ in range(loads):
        context = browser.new_context(viewport={"width": 1280, "height": 800})
        page = context.new_page()
        page.add_init_script(_WATCH)
        page.goto(url)
        page.wait_for_function("() => window.usable !== undefined", timeout=_PATIENCE_MS)
        times.append(float(page.evaluate("() => window.usable")))
        context.close()
    return round(median(times), 1)


def _wait_for_files(running: Station, wanted: int) -> None:
    deadline = time.monotonic() + _PATIENCE_MS / 1000
    while True:
        listed: Any = running.state()["files"]
        if listed["count"] == wanted:
            return
        if time.monotonic() > deadline:
            raise TimeoutError(f"the list has {listed['count']} of {wanted} files")
        time.sleep(0.2)


def blocked_ms(page: Page, list_id: str) -> float:
    """The longest task while the list is scrolled down and up again; 0: none was over 50 ms."""
    page.evaluate(_SCROLL, list_id)
    return round(max(page.evaluate("() => window.tasks"), default=0), 1)


def script_bytes() -> dict[str, int]:
    """Of all scripts that the page may ever load, compressed: our own, and those of others."""
    sizes = {"own": 0, "vendor": 0}
    for name, folder in (("own", PAGES / "static"), ("vendor", PAGES / "vendor")):
        sizes[name] = sum(len(gzip.compress(file.read_bytes(), 9)) for file in folder.rglob("*.js"))
    return sizes


def measure(browser: Browser, running: Station, loads: int, pages: int) -> dict[str, Any]:
    found: dict[str, Any] = {"usable_ms": usable_ms(browser, running.url, loads)}
    page = browser.new_context(viewport={"width": 1280, "height": 800}).new_page()
    page.add_init_script(_WATCH)
    page.goto(running.url)
    sheet = short()
    running.plug_in("BATCH", {f"{number:04}.png": sheet for number in range(pages)})
    _wait_for_files(running, pages)
    page.wait_for_selector("#files li", timeout=_PATIENCE_MS)
    page.wait_for_timeout(1000)
    found["list_load_ms"] = round(max(page.evaluate("() => window.tasks"), default=0), 1)
    found["list_blocked_ms"] = blocked_ms(page, "files")
    page.keyboard.press("a")
    began = time.monotonic()
    page.keyboard.press("Enter")
    page.wait_for_selector("#reading-pages [data-status=read]", timeout=_PATIENCE_MS)
    found["first_result_s"] = round(time.monotonic() - began, 2)
    state = running.state()
    reading: Any = state["reading"]
    found["rest_runs"] = bool(state["screen"] == "reading" and reading is not None)
    found["queue_blocked_ms"] = blocked_ms(page, "reading-pages")
    running.post("read/stop")
    page.context.close()
    return found


def table(found: dict[str, Any]) -> str:
    sizes = found["scripts"]
    rows = [
        ("page load to usable", f"{found['usable_ms']:.0f} ms", f"{MOST_USABLE_MS} ms"),
        (f"longest task, {found['pages']} files drawn", f"{found['list_load_ms']:.0f} ms", ""),
        (
            f"longest task, {found['pages']} files scrolled",
            f"{found['list_blocked_ms']:.0f} ms",
            f"{MOST_BLOCKED_MS} ms",
        ),
        (
            f"longest task, {found['pages']} pages of a batch",
            f"{found['queue_blocked_ms']:.0f} ms",
            f"{MOST_BLOCKED_MS} ms",
        ),
        ("first result of the batch", f"{found['first_result_s']} s", "while the rest runs"),
        (
            "scripts, compressed",
            f"{(sizes['own'] + sizes['vendor']) / 1000:.0f} KB",
            f"{MOST_SCRIPT_BYTES // 1000} KB",
        ),
    ]
    return "\n".join(f"{name:<42}{value:>12}   {bar}" for name, value, bar in rows)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--loads", type=int, default=9)
    parser.add_argument("--pages", type=int, default=1000)
    options = parser.parse_args()
    chromium = shutil.which("chromium")
    if chromium is None:
        print("kiosk: chromium is not installed: apt-get install chromium", file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory(prefix="inkstick-bench-") as folder, sync_playwright() as playwright:
        running = stations.start(Path(folder))
        try:
            browser = playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
            found = measure(browser, running, options.loads, options.pages)
            browser.close()
        finally:
            stations.stop(running)
    found |= {"pages": options.pages, "scripts": script_bytes(), "load": round(os.getloadavg()[0], 1)}
    print(table(found))
    print(json.dumps({"bench": "kiosk", **found}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
