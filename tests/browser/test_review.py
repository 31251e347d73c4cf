"""Looking at what was read, and correcting it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable

import pytest

from tests.browser.conftest import Watched
from tests.browser.station import Station, english


@pytest.fixture
def review(kiosk: Watched, station: Station) -> Watched:
    page, _ = english()
    station.plug_in("STICK", {"english.png": page})
    kiosk.page.wait_for_selector("#files li")
    kiosk.press("Enter")
    kiosk.shows("review")
    kiosk.page.wait_for_selector("#lines li:nth-child(7)")
    return kiosk


def box(kiosk: Watched, target: str) -> dict[str, float]:
    """Where a place's box lies on the screen."""
    shape = kiosk.page.locator(f'#sheet polygon[data-target="{target}"]')
    shape.wait_for(state="attached", timeout=60_000)
    found = shape.bounding_box()
    assert found is not None
    return {"x": found["x"], "y": found["y"], "width": found["width"], "height": found["height"]}


def middle(of: dict[str, float]) -> tuple[float, float]:
    return of["x"] + of["width"] / 2, of["y"] + of["height"] / 2


def at(kiosk: Watched) -> str | None:
    return kiosk.page.locator("#lines li.at").get_attribute("data-line")


def box_becomes(kiosk: Watched, target: str, fits: Callable[[dict[str, float]], bool]) -> dict[str, float]:
    """The box once it fits: it follows the picture with the next frame."""
    deadline = time.monotonic() + 60
    while not fits(now := box(kiosk, target)):
        assert time.monotonic() < deadline, now
        kiosk.page.wait_for_timeout(50)
    return now


def picture_is_drawn(kiosk: Watched) -> None:
    """Wait until the page's picture is on the canvas: its paper is no background of ours."""
    kiosk.page.wait_for_function(
        """() => {
          const canvas = document.querySelector("#sheet canvas");
          if (!canvas) return false;
          const probe = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
          probe.drawImage(canvas, -canvas.width / 2, -canvas.height / 2);
          const [red, green, blue, shown] = probe.getImageData(0, 0, 1, 1).data;
          return shown === 255 && red > 200 && green > 200 && blue > 200;
        }""",
        timeout=60_000,
    )


def test_a_line_and_its_box_point_at_each_other(review: Watched) -> None:
    page = review.page
    picture_is_drawn(review)
    assert page.locator("#sheet polygon").count() == 7
    review.press("ArrowDown", "ArrowDown")
    assert at(review) == "2"
    assert page.locator("#sheet polygon.at").get_attribute("data-line") == "2"
    page.mouse.click(*middle(box(review, "line:5")))
    page.wait_for_selector('#lines li.at[data-line="5"]')
    page.mouse.move(*middle(box(review, "line:1")))
    page.wait_for_selector('#lines li.hover[data-line="1"]')
    page.locator('#lines li[data-line="4"]').hover()
    page.wait_for_selector('#sheet polygon.hover[data-line="4"]', state="attached")


def test_a_box_lies_on_its_line_in_the_picture(review: Watched) -> None:
    picture_is_drawn(review)
    sheet = review.page.locator("#sheet").bounding_box()
    assert sheet is not None
    first, last = box(review, "line:0"), box(review, "line:6")
    scale = (last["y"] - first["y"]) / (6 * 56)  # lines lie 56 pixels apart on the page of 1000 x 560
    left = sheet["x"] + (sheet["width"] - 1000 * scale) / 2
    top = sheet["y"] + (sheet["height"] - 560 * scale) / 2
    assert first["x"] - left == pytest.approx(68 * scale, abs=12)
    assert first["y"] - top == pytest.approx(72 * scale, abs=12)


def test_a_corrected_line_is_marked_and_saved(review: Watched, station: Station) -> None:
    review.press("ArrowDown", "Enter", "Control+a")
    review.page.keyboard.type("Spell l, s, p and ? as letters: 更正")
    review.picture("correcting")
    review.press("Enter")
    review.sees("已修改")
    assert review.page.locator("#lines li.at").get_attribute("data-line") == "2"
    review.picture("corrected")
    review.press("s")
    review.shows("saved")
    saved = station.sticks / "STICK" / "Inkstick"
    lines = (saved / "english.txt").read_text(encoding="utf-8").splitlines()
    assert lines[1] == "Spell l, s, p and ? as letters: 更正"
    assert lines[0].startswith("The records office")
    record = json.loads((saved / "english.json").read_bytes())
    assert record["corrected"] is True
    assert record["lines"][1]["read_as"].startswith("Every parcel")


def test_escape_leaves_a_line_as_it_was_and_f2_saves_what_is_being_typed(review: Watched, station: Station) -> None:
    review.press("Enter", "Control+a")
    review.page.keyboard.type("not this")
    review.press("Escape")
    review.shows("review")
    assert review.page.get_by_text("not this").count() == 0
    review.press("Enter", "Control+a")
    review.page.keyboard.type("but this")
    review.press("F2")
    review.shows("saved")
    saved = station.sticks / "STICK" / "Inkstick" / "english.txt"
    assert saved.read_text(encoding="utf-8").splitlines()[0] == "but this"


def test_a_reloaded_page_shows_the_same_review_with_its_corrections(review: Watched) -> None:
    review.press("Enter", "Control+a")
    review.page.keyboard.type("kept by the station")
    with review.page.expect_response("**/pages/0/edit"):
        review.press("Enter")
    review.page.reload()
    review.shows("review")
    review.sees("kept by the station")


def test_the_picture_is_zoomed_and_moved_by_keys_wheel_and_hand(review: Watched) -> None:
    picture_is_drawn(review)
    page, before = review.page, box(review, "line:0")
    review.press("+", "+")
    box_becomes(review, "line:0", lambda now: now["width"] == pytest.approx(before["width"] * 1.69, rel=0.05))
    review.press("-", "0")
    box_becomes(review, "line:0", lambda now: now == pytest.approx(before, abs=1))
    page.mouse.move(*middle(before))
    page.mouse.wheel(0, -300)
    box_becomes(review, "line:0", lambda now: now["width"] > before["width"] * 1.1)
    page.wait_for_timeout(300)  # until the wheel has come to rest
    zoomed = box(review, "line:0")
    x, y = middle(zoomed)
    page.mouse.down()
    page.mouse.move(x - 40, y + 30, steps=4)
    page.mouse.up()
    box_becomes(
        review,
        "line:0",
        lambda now: (now["x"] - zoomed["x"], now["y"] - zoomed["y"]) == pytest.approx((-40, 30), abs=4),
    )
    review.picture("enlarged")
    review.press("0", "z", "z")
    box_becomes(review, "line:0", lambda now: now["width"] > 1.8 * before["width"])
    for _ in range(6):
        review.press("ArrowDown")
    sheet = page.locator("#sheet").bounding_box()
    assert sheet is not None
    box_becomes(review, "line:6", lambda now: sheet["y"] <= middle(now)[1] <= sheet["y"] + sheet["height"])


def test_undo_and_redo_are_kept_by_the_station(review: Watched) -> None:
    for number, words in enumerate(("first", "second")):
        review.press("Enter", "Control+a")
        review.page.keyboard.type(words)
        with review.page.expect_response("**/pages/0/edit"):
            review.press("Enter")
        assert at(review) == str(number + 1)
    review.page.reload()
    review.shows("review")
    review.sees("second")
    review.page.wait_for_selector("#review-undo:not(:disabled)")
    review.press("Control+z")
    review.sees("已撤销")
    review.page.get_by_text("second", exact=True).wait_for(state="detached")
    review.page.wait_for_selector("#review-redo:not(:disabled)")
    review.press("Control+z")
    review.page.get_by_text("first", exact=True).wait_for(state="detached")
    review.page.wait_for_selector("#review-undo:disabled")
    review.press("Control+Shift+Z")
    review.sees("first")
    assert review.page.locator('#lines li[data-line="0"] .was').inner_text().startswith("The records")
    review.press("l")
    review.sees("corrected")


@pytest.mark.parametrize("kiosk", [(1024, 768), (3840, 2160)], indirect=True)
def test_everything_fits_small_and_very_large_screens(review: Watched) -> None:
    size = review.page.viewport_size
    assert size is not None
    review.picture(f"review-{size['width']}")
    for selector in ("#sheet", "#lines", '#review [data-do="save"]', '[data-do="power"]'):
        box = review.page.locator(selector).first.bounding_box()
        assert box is not None
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= size["width"]
        assert box["y"] + box["height"] <= size["height"]
