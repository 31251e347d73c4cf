"""The scanner's screen, with the real service and a driverless scanner on loopback, through to text."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.browser.axe import violations
from tests.browser.conftest import Watched
from tests.browser.station import ROOT, Station
from tests.integration.escl_scanner import EsclScanner, Scanner, on_glass
from tests.pages.cer import cer
from tests.pages.render import render

pytestmark = pytest.mark.full


@pytest.fixture
def scanner(station: Station, tmp_path: Path) -> Iterator[Scanner]:
    """A scanner with a page on its glass, and the service that finds it."""
    (tmp_path / "dll.conf").write_text("airscan\n")
    folder = station.sticks.parent
    with EsclScanner(on_glass(render("chinese").image)) as plugged:
        command = [sys.executable, "-m", "runtime.scanner", "--config", str(folder / "station.json")]
        command += ["--sane", str(tmp_path), "--first-port", str(plugged.port)]
        service = subprocess.Popen(command, cwd=ROOT)
        deadline = time.monotonic() + 60
        while not (folder / "scanner.sock").exists():
            assert time.monotonic() < deadline and service.poll() is None
            time.sleep(0.05)
        yield plugged
        while pages := station.state()["scanner"]["pages"]:  # type: ignore[index]
            station.post(f"scanner/pages/{pages[0]}/drop")
        station.post("scanner/settings", {})
        station.post("scanner/close")
        service.terminate()
        service.wait(60)
        (folder / "scanner.sock").unlink(missing_ok=True)


def test_a_page_from_the_glass_is_scanned_and_read(kiosk: Watched, station: Station, scanner: Scanner) -> None:
    kiosk.press("n")
    kiosk.shows("scanner")
    kiosk.sees("扫描仪就绪", timeout_s=120)
    kiosk.sees("Inkstick Trial 1000")
    kiosk.press("z")
    kiosk.sees("150 dpi")
    kiosk.press("v")
    kiosk.page.wait_for_selector("#scanner-large img", timeout=120_000)
    assert station.state()["scanner"]["pages"] == []  # type: ignore[index]
    kiosk.press("Space")
    kiosk.page.wait_for_selector("#scans li img", timeout=120_000)
    kiosk.sees("扫描仪就绪", timeout_s=120)
    kiosk.page.wait_for_function("() => document.querySelector('#scans li img').naturalWidth > 0")
    kiosk.picture("scanner-zh")
    assert violations(kiosk) == []
    kiosk.press("Enter")
    kiosk.page.wait_for_selector("#lines li", timeout=180_000)
    text = "\n".join(kiosk.page.locator("#lines .words").all_inner_texts())
    assert cer(render("chinese").text, text) <= 0.02


@pytest.mark.parametrize("kiosk", [(1024, 768)], indirect=True)
def test_a_feeder_is_emptied_and_its_faults_are_said(kiosk: Watched, station: Station, scanner: Scanner) -> None:
    scanner.feeder = [on_glass(render(kind).image) for kind in ("english", "note", "slip")]
    kiosk.press("l")
    kiosk.page.wait_for_selector('html[lang="en"]')
    kiosk.press("n")
    kiosk.sees("The scanner is ready", timeout_s=120)
    kiosk.press("q")
    kiosk.page.locator("#scanner-source").get_by_text("Feeder").wait_for(timeout=30_000)
    kiosk.press("z")
    kiosk.press("Space")
    kiosk.page.wait_for_selector("#scans li:nth-child(3)", timeout=120_000)
    kiosk.sees("The scanner is ready", timeout_s=120)
    kiosk.press("Space")
    kiosk.sees("The document feeder is empty", timeout_s=120)
    scanner.feeder.append(on_glass(render("note").image))
    scanner.adf_state = "ScannerAdfJam"
    kiosk.press("Space")
    kiosk.sees("Paper is jammed in the scanner", timeout_s=120)
    kiosk.picture("scanner-en")
    assert violations(kiosk) == []
    kiosk.press("Home", "Delete")
    kiosk.sees("2 pages scanned")
    kiosk.press("Escape")
    kiosk.shows("insert")


def test_without_a_scanner_the_page_says_so(kiosk: Watched) -> None:
    """There is no service in this station at all: that is said, with what to do, and nothing breaks."""
    kiosk.press("n")
    kiosk.shows("scanner")
    kiosk.sees("扫描服务暂不可用", timeout_s=60)
    kiosk.press("Escape")
    kiosk.shows("insert")
