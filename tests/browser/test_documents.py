"""Tables, formulas and translations checked and corrected: read by the tiny model that was trained for these pages.

The engine is the real one, with HunyuanOCR's architecture, in the environment of tests/engines; gateway and media
helper are the station's.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.browser import station as stations
from tests.browser.conftest import Watched, note
from tests.browser.station import ROOT, Station
from tests.engines.environment import engines_environment
from tests.engines.tiny import FOLDER, MENDED, MODEL

pytestmark = pytest.mark.full


@pytest.fixture(scope="module")
def reading_station(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Station]:
    folder = tmp_path_factory.mktemp("documents")
    ui, api = stations.free_port(), stations.free_port()
    configuration = {
        "profile": "demo",
        "version": "0.1.0",
        "ui": {"host": "127.0.0.1", "port": ui},
        "api": {"host": "127.0.0.1", "port": api},
        "engines": [{"name": "transformers", "socket": str(folder / "engine.sock"), "model": MODEL}],
        "media_socket": str(folder / "media.sock"),
        "milestones": str(folder / "milestones"),
        "painted_flag": str(folder / "painted"),
        "hardware_report": str(folder / "hardware.json"),
    }
    (folder / "station.json").write_text(json.dumps(configuration))
    for name in ("sticks", "drawer"):
        (folder / name).mkdir()
    engine = [str(engines_environment()), "-m", "runtime.engine", "--name", "transformers"]
    programs = [
        (engine, {**os.environ, **MENDED}),
        ([sys.executable, "-m", "runtime.media", "--folders", str(folder / "sticks")], dict(os.environ)),
        ([sys.executable, "-m", "runtime.gateway"], dict(os.environ)),
    ]
    running = []
    with open(folder / "log", "wb") as log:
        for words, environment in programs:
            command = [*words, "--config", str(folder / "station.json")]
            running.append(subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log))
    made = Station(
        f"http://127.0.0.1:{ui}",
        folder / "sticks",
        folder / "drawer",
        running[-1],
        folder / "hardware.json",
        f"http://127.0.0.1:{api}",
    )
    try:
        stations.wait_until_ready(made, folder / "log")
        yield made
    finally:
        for process in reversed(running):
            process.terminate()
        for process in running:
            process.wait(60)


@pytest.fixture
def watched(reading_station: Station, browser: Browser) -> Iterator[Watched]:
    reading_station.rest()
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    made = Watched(context.new_page())
    made.page.on("console", lambda said: note(made, said))
    made.page.on("pageerror", lambda error: made.complaints.append(str(error)))
    made.page.goto(reading_station.url)
    yield made
    context.close()
    assert made.complaints == []


def read(kiosk: Watched, station: Station, task: str, *pages: str) -> None:
    """Have these pages of the tiny model's read, and wait for the review."""
    station.post("choice", {"task": task, "to": "en"})
    files = {f"{name}.png": (FOLDER / f"pages/{name}.png").read_bytes() for name in pages}
    station.plug_in("STICK", files)
    kiosk.page.wait_for_selector(f"#files li:nth-child({len(pages)})", timeout=60_000)
    kiosk.press("a", "Enter")
    kiosk.shows("review", timeout_s=400)


def test_a_formula_is_drawn_and_follows_its_source(watched: Watched, reading_station: Station) -> None:
    read(watched, reading_station, "formula", "formula-0", "formula-2")
    page = watched.page
    page.wait_for_selector("#rendered .math .katex .msupsub", timeout=60_000)
    watched.press("PageDown")
    page.wait_for_selector("#rendered .math .katex .mfrac", timeout=60_000)
    assert page.locator("#source-text").input_value() == "$$\\frac{X}{Y}$$"
    assert page.locator("#rendered math mfrac").count() == 1  # for screen readers
    watched.picture("formula")
    watched.press("Enter", "Control+a")
    page.keyboard.type("$$\\sqrt{X+1}$$")
    page.wait_for_selector("#rendered .math .katex .sqrt", timeout=60_000)
    watched.press("Escape")
    watched.sees("识别原文")
    page.wait_for_selector("#review-undo:not(:disabled)")
    watched.press("Control+z")
    page.wait_for_selector("#rendered .math .katex .mfrac")
    fonts = page.evaluate(
        "async () => { await document.fonts.ready; return document.fonts.check('16px KaTeX_Math'); }"
    )
    assert fonts is True


def test_a_table_is_corrected_as_a_table(watched: Watched, reading_station: Station) -> None:
    read(watched, reading_station, "table", "table-0")
    page = watched.page
    page.wait_for_selector("#tables td.at", timeout=60_000)
    assert page.locator("#tables td").count() == 8
    watched.press("ArrowDown", "ArrowRight")
    assert page.locator("#tables td.at").inner_text() == "38"
    watched.press("Enter", "Control+a")
    page.keyboard.type("39 & <1>")
    watched.press("Enter")
    page.wait_for_selector("#tables td.corrected")
    assert page.locator("#tables td.at").inner_text() == "500"
    assert page.locator("#tables td.corrected .was").inner_text() == "38"
    watched.press("Enter", "Control+a")
    page.keyboard.type("501")
    watched.press("Tab")  # within a table it goes to the next cell
    page.locator("#tables td.corrected").nth(1).wait_for()
    assert page.locator("#tables td.at").inner_text() == "PIN"
    watched.picture("table")
    watched.press("3")
    page.wait_for_selector("#rendered table")
    assert "39 &amp; &lt;1&gt;" in page.locator("#source-text").input_value()
    watched.picture("table-source")
    watched.press("s")
    watched.shows("saved")
    record = json.loads(next((reading_station.sticks / "STICK/Inkstick").glob("*.json")).read_bytes())
    assert record["tables"][0][1:3] == [["BOLT", "39 & <1>"], ["NUT", "501"]]


def test_a_document_is_shown_as_it_looks(watched: Watched, reading_station: Station) -> None:
    read(watched, reading_station, "document", "lines-4")
    watched.page.wait_for_selector("#rendered h1", timeout=60_000)
    assert watched.page.locator("#rendered h1").inner_text() == "GATE 7"
    watched.picture("document")


def engine_of(station: Station) -> int:
    config = os.fsencode(station.sticks.parent / "station.json")
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            words = (folder / "cmdline").read_bytes().split(b"\0")
            if b"runtime.engine" in words and config in words:
                return int(folder.name)
    raise AssertionError("no engine is running")


def test_what_the_model_writes_is_seen_as_it_writes(watched: Watched, reading_station: Station) -> None:
    """The engine goes in steps of a few milliseconds, so that its few words are not there all at once."""
    reading_station.post("choice", {"task": "document"})
    reading_station.plug_in("STICK", {"lines-4.png": (FOLDER / "pages/lines-4.png").read_bytes()})
    watched.page.wait_for_selector("#files li", timeout=60_000)
    engine, writing = engine_of(reading_station), watched.page.locator("#writing")
    os.kill(engine, signal.SIGSTOP)
    try:
        watched.press("a", "Enter")
        watched.shows("reading")
        deadline = time.monotonic() + 300
        while not writing.is_visible():
            assert time.monotonic() < deadline
            os.kill(engine, signal.SIGCONT)
            time.sleep(0.004)
            os.kill(engine, signal.SIGSTOP)
            watched.page.wait_for_timeout(150)
        so_far = writing.inner_text()
        watched.picture("writing")
    finally:
        os.kill(engine, signal.SIGCONT)
    watched.shows("review", timeout_s=400)
    whole = watched.page.locator("#source-text")
    whole.wait_for()
    assert so_far and whole.input_value().startswith(so_far) and whole.input_value() != so_far


def test_a_translation_is_corrected_as_text(watched: Watched, reading_station: Station) -> None:
    read(watched, reading_station, "translate", "sign-1")
    field = watched.page.locator("#source-text")
    field.wait_for()
    assert field.input_value() == "NORTH EXIT"
    watched.press("Enter", "Control+a")
    watched.page.keyboard.type("North exit")
    with watched.page.expect_response("**/pages/0/edit"):
        watched.press("Escape")
    watched.page.reload()
    watched.shows("review")
    watched.page.wait_for_function(
        "() => document.getElementById('source-text').value === 'North exit'", timeout=60_000
    )
