"""One browser and one station for all tests here; a fresh page and no stick for each."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, sync_playwright

from tests.browser import station as stations
from tests.browser.station import ROOT, Station
from tests.unit.clock.test_clock import Told, serving

ARTIFACTS = ROOT / "tests" / "artifacts"
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
]


@dataclass
class Watched:
    """A page, everything it said on its console, and every address it asked for."""

    page: Page
    complaints: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    def picture(self, name: str) -> None:
        """Kept in tests/artifacts, to be looked at."""
        ARTIFACTS.mkdir(exist_ok=True)
        self.page.screenshot(path=ARTIFACTS / f"{name}.png")

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)

    def shows(self, screen: str, timeout_s: float = 60) -> None:
        """Wait until this screen is the one that is shown."""
        self.page.wait_for_selector(f"#{screen}:not([hidden]) h1", timeout=timeout_s * 1000)

    def sees(self, words: str, timeout_s: float = 20) -> None:
        self.page.get_by_text(words).locator("visible=true").first.wait_for(timeout=timeout_s * 1000)

    def knows_of(self, station: Station, sticks: int) -> None:
        """A page that is loaded draws the review from a state in which there are so many sticks."""
        station.wait_until(lambda state: len(state["sticks"]) == sticks)
        self.page.reload()
        self.shows("review")


@pytest.fixture(scope="session")
def running_station(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Station]:
    running = stations.start(tmp_path_factory.mktemp("station"))
    yield running
    stations.stop(running)


@pytest.fixture
def station(running_station: Station) -> Station:
    running_station.rest()
    return running_station


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.fail("chromium is not installed: apt-get install chromium")
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        yield running
        running.close()


@pytest.fixture(scope="module")
def clock_times(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, list[float]]]:
    """The clock's helper, which does everything but set this machine's clock, and what it was asked for."""
    path = tmp_path_factory.mktemp("clock") / "clock.sock"
    with pytest.MonkeyPatch.context() as monkey:
        clocks = Told(monkey, board=True)
        with serving(path, clocks):
            yield path, clocks.set_to


@pytest.fixture
def kiosk(station: Station, browser: Browser, request: pytest.FixtureRequest) -> Iterator[Watched]:
    """The page as the kiosk shows it. Afterwards: no complaint, and no address but the station's."""
    size = getattr(request, "param", (1280, 800))
    with watching(station, browser, size) as watched:
        yield watched


@contextmanager
def watching(
    station: Station,
    browser: Browser,
    size: tuple[int, int],
    path: str = "/",
    *,
    touch: bool = False,
    expected: str = "",
) -> Iterator[Watched]:
    """A page at `path`. Afterwards: no complaint but for those that are `expected`, a pattern, and no address
    but the station's."""
    context = browser.new_context(viewport={"width": size[0], "height": size[1]}, has_touch=touch)
    watched = Watched(context.new_page())
    watched.page.on("console", lambda said: None if was_there(said) else note(watched, said))
    watched.page.on("pageerror", lambda error: watched.complaints.append(str(error)))
    watched.page.on("request", lambda sent: watched.requests.append(sent.url))
    watched.page.goto(f"{station.url}{path}")
    yield watched
    context.close()
    assert [each for each in watched.complaints if not (expected and re.search(expected, each))] == []
    assert [url for url in watched.requests if not url.startswith(f"{station.url}/")] == []


def was_there(said: ConsoleMessage) -> bool:
    """Whether it is about a page or file of a batch that was closed, or whose stick was pulled, while the browser
    waited for it. That its pictures are there as long as it is there is what the tests themselves look at."""
    about = re.search(r"/kiosk/(pages|files)/\d+", said.location["url"])
    return about is not None and ("404" in said.text or "410" in said.text)


def note(watched: Watched, said: ConsoleMessage) -> None:
    """Keep what the console said, and of which address, if it is an error or a warning."""
    if said.type in ("error", "warning"):
        watched.complaints.append(f"{said.text} {said.location['url']}")
