"""While the clerk corrects a page: others arrive and nothing moves under her hand; two fingers enlarge the picture."""

from __future__ import annotations

import time
from typing import Any

import pytest
from playwright.sync_api import Browser, CDPSession

from tests.browser.conftest import Watched, watching
from tests.browser.station import Station, english, short
from tests.browser.test_review import at, box, box_becomes, middle, picture_is_drawn

READ_S = 240
TYPED = "half a correction"


def place(kiosk: Watched) -> dict[str, Any]:
    """Where the clerk is: the page, what is typed and where in it, what is scrolled, and what the picture shows."""
    found: dict[str, Any] = kiosk.page.evaluate(
        """() => {
          const field = document.activeElement;
          return {
            page: document.getElementById("review-number").textContent.split(" ")[0],
            typed: field.value,
            selected: [field.selectionStart, field.selectionEnd],
            at: document.querySelector("#lines li.at").dataset.line,
            scrolled: document.getElementById("lines").scrollTop,
            row: Math.round(field.getBoundingClientRect().top),
          };
        }"""
    )
    return {**found, "box": {side: round(size) for side, size in box(kiosk, "line:3").items()}}


def correct_half(kiosk: Watched) -> dict[str, Any]:
    """Enlarge the picture, go to the fourth line, type half a correction and go back in it."""
    kiosk.shows("review")
    kiosk.page.wait_for_selector("#lines li:nth-child(7)")
    picture_is_drawn(kiosk)
    before = box(kiosk, "line:3")
    kiosk.press("+", "+", "ArrowDown", "ArrowDown", "ArrowDown")
    box_becomes(kiosk, "line:3", lambda now: now["width"] > 1.5 * before["width"])
    kiosk.press("Enter", "Control+a")
    kiosk.page.keyboard.type(TYPED)
    kiosk.press("ArrowLeft", "ArrowLeft", "Shift+ArrowLeft")
    return rests(kiosk)


def rests(kiosk: Watched) -> dict[str, Any]:
    """The place once nothing moves any more: the picture follows its line with the next frames."""
    now, alike, deadline = place(kiosk), 0, time.monotonic() + 60
    while alike < 4:
        assert time.monotonic() < deadline, now
        kiosk.page.wait_for_timeout(250)
        before, now = now, place(kiosk)
        alike = alike + 1 if now == before else 0
    return now


def comes_to(kiosk: Watched, number: str) -> None:
    """Wait until the page tells so many pages."""
    kiosk.page.wait_for_function(
        "number => document.getElementById('review-number').textContent === number",
        arg=number,
        timeout=READ_S * 1000,
    )


def keeps(kiosk: Watched, station: Station, before: dict[str, Any]) -> None:
    """She is where she was, and what she types next stands where she was typing."""
    kiosk.page.wait_for_timeout(600)  # lists are gathered for a moment before they are drawn
    assert rests(kiosk) == before
    kiosk.page.keyboard.type("X")
    kiosk.press("Enter")
    kiosk.sees("half a correctXon")
    assert at(kiosk) == "4"


def test_pages_that_are_read_meanwhile_move_nothing(kiosk: Watched, station: Station) -> None:
    pages = {"1.png": english()[0], **{f"{number}.png": short() for number in range(2, 7)}}
    station.plug_in("STICK", pages)
    kiosk.page.wait_for_selector(f"#files li:nth-child({len(pages)})")
    kiosk.press("Enter")  # the first alone
    kiosk.shows("review", timeout_s=READ_S)
    station.post("read/pause", {"paused": True})  # so that no machine has read the others before she begins
    listing = station.state()["files"]["revision"]  # type: ignore[index]
    station.post("read", {"revision": listing, "files": [1, 2, 3, 4, 5]})
    kiosk.shows("reading")
    kiosk.press("e")
    comes_to(kiosk, "1 / 6")
    before = correct_half(kiosk)
    assert station.state()["reading"]["read"] == 1  # type: ignore[index]
    station.post("read/pause", {"paused": False})
    station.wait_until(lambda state: state["reading"]["read"] == 6 and not state["reading"]["running"], READ_S)
    keeps(kiosk, station, before)


def test_pages_that_come_into_a_watched_folder_move_nothing(kiosk: Watched, station: Station) -> None:
    stick = station.plug_in("STICK", {"1.png": english()[0]})
    kiosk.page.wait_for_selector("#files li")
    kiosk.press("f")
    station.wait_until(lambda state: state["watch"] is not None)
    kiosk.press("Enter")
    before = correct_half(kiosk)
    for number in (2, 3):
        (stick / f"{number}.png").write_bytes(short())
    comes_to(kiosk, "1 / 3")
    station.wait_until(lambda state: state["reading"]["read"] == 3, READ_S)
    keeps(kiosk, station, before)
    station.post("watch/end")


class Fingers:
    """Two of them on the glass, as Chromium gets them from a touch screen."""

    def __init__(self, kiosk: Watched, x: float, y: float) -> None:
        self._session: CDPSession = kiosk.page.context.new_cdp_session(kiosk.page)
        self._page, self._x, self._y = kiosk.page, x, y

    def pinch(self, begin: int, end: int, steps: int = 8) -> None:
        """From so many pixels between them to so many."""
        self._send("touchStart", begin)
        for step in range(1, steps + 1):
            self._send("touchMove", begin + (end - begin) * step // steps)
            self._page.wait_for_timeout(30)
        self._session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})

    def _send(self, kind: str, apart: int) -> None:
        points = [{"x": self._x + side * apart / 2, "y": self._y, "id": n} for n, side in enumerate((-1, 1))]
        self._session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})


def test_two_fingers_enlarge_the_picture_and_not_the_page(station: Station, browser: Browser) -> None:
    with watching(station, browser, (1280, 800), touch=True) as kiosk:
        station.plug_in("STICK", {"english.png": english()[0]})
        kiosk.page.wait_for_selector("#files li")
        kiosk.press("Enter")
        kiosk.shows("review")
        kiosk.page.wait_for_selector("#lines li:nth-child(7)")
        picture_is_drawn(kiosk)
        before = box(kiosk, "line:3")
        fingers = Fingers(kiosk, *middle(before))
        fingers.pinch(80, 240)
        large = box_becomes(kiosk, "line:3", lambda now: now["width"] > 2 * before["width"])
        assert middle(large) == pytest.approx(middle(before), abs=25), "what is between the fingers stays there"
        fingers.pinch(240, 120)
        box_becomes(kiosk, "line:3", lambda now: now["width"] < 0.7 * large["width"])
        assert kiosk.page.evaluate("visualViewport.scale") == 1
        kiosk.shows("review")
