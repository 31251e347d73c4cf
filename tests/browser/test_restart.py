"""The gateway is killed while the clerk works; it is started again, and the page that stayed open goes on."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.browser.conftest import Watched, watching
from tests.browser.station import Station
from tests.browser.test_queue import READ_S, numbers, row, tiny

MARKER = "Zanzibar quokka 90210"
# What a browser says of a station that is away, and of a picture that it was just sending. An answer is none of it.
AWAY = r"net::ERR_\w+"


@pytest.fixture
def kiosk(station: Station, browser: Browser) -> Iterator[Watched]:
    with watching(station, browser, (1280, 800), expected=AWAY) as watched:
        yield watched


def holding(folder: Path, words: str) -> list[str]:
    return [path.name for path in folder.rglob("*") if path.is_file() and words.encode() in path.read_bytes()]


def revision(station: Station) -> int:
    with urllib.request.urlopen(f"{station.url}/kiosk/files", timeout=30) as answer:
        found: int = json.load(answer)["revision"]
        return found


def files(station: Station) -> list[Path]:
    return list((station.session / "files").iterdir())


def test_a_killed_gateway_loses_nothing_and_the_open_page_goes_on(kiosk: Watched, station: Station) -> None:
    station.plug_in("STICK", {f"{number}.png": tiny(number) for number in range(1, 5)})
    kiosk.page.wait_for_selector("#files li:nth-child(4)")
    kiosk.press("Enter")
    kiosk.shows("review", timeout_s=READ_S)
    kiosk.page.wait_for_selector("#lines li")
    station.post("pages/0/edit", {"target": "line:0", "text": MARKER})
    kiosk.sees(MARKER)
    kiosk.page.evaluate("window.stayed = true")
    with station.engine_held():
        station.post("read", {"revision": revision(station), "files": [1, 2, 3], "pages": {}})
        station.paste("pasted.png", tiny(9))
        station.wait_until(lambda state: state["reading"]["total"] == 5)
        kiosk.page.wait_for_selector(row("reading"), timeout=60_000)
        assert numbers(station)["read"] == 1
        station.kill_gateway()
        kiosk.sees("服务已重新启动。内容都在，其余 4 页继续识别。", timeout_s=60)
        kiosk.sees("The service was restarted. Everything is still here; reading goes on (4 to go).")
        kiosk.page.wait_for_selector(f"{row('read')} .thumb img")
        kiosk.picture("restarted-zh")
        assert numbers(station)["running"]
        station.post("language", {"language": "en"})
        kiosk.sees("Look at the results")
        kiosk.picture("restarted-en")
    kiosk.shows("review", timeout_s=READ_S)
    assert (numbers(station)["read"], numbers(station)["failed"]) == (5, 0)
    kiosk.sees("1 / 5")
    kiosk.sees(MARKER)
    assert kiosk.page.evaluate("window.stayed") is True, "the page was not loaded anew"
    kiosk.page.wait_for_selector("#sheet canvas")
    kiosk.press("Control+z")
    station.wait_until(lambda state: (state["review"]["undo"], state["review"]["redo"]) == (0, 1))
    kiosk.page.wait_for_selector("#review-redo:not([disabled])")
    kiosk.press("Control+y")
    station.wait_until(lambda state: (state["review"]["undo"], state["review"]["redo"]) == (1, 0))
    kiosk.sees(MARKER)
    station.clear()
    station.kill_gateway()  # at rest as well, and without its stick
    kiosk.sees("The service was restarted. Everything is still here.", timeout_s=60)
    kiosk.sees(MARKER)
    assert holding(station.session, MARKER) and files(station)
    station.post("forget")
    station.wait_until(lambda state: state["reading"] is None)
    assert holding(station.session, MARKER) == [] and files(station) == []
    kiosk.shows("insert")
