"""Looking at what was read, and correcting it."""

from __future__ import annotations

import json

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


def test_a_line_and_its_box_point_at_each_other(review: Watched) -> None:
    page = review.page
    assert page.locator("#sheet polygon").count() == 7
    review.press("ArrowDown", "ArrowDown")
    assert page.locator("#lines li.at").get_attribute("data-line") == "2"
    assert page.locator("#sheet polygon.at").get_attribute("data-line") == "2"
    page.locator('#sheet polygon[data-line="5"]').click()
    assert page.locator("#lines li.at").get_attribute("data-line") == "5"
    page.locator('#sheet polygon[data-line="1"]').hover()
    assert page.locator("#lines li.hover").get_attribute("data-line") == "1"
    page.locator('#lines li[data-line="4"]').hover()
    assert page.locator("#sheet polygon.hover").get_attribute("data-line") == "4"


def test_a_box_lies_on_its_line_in_the_picture(review: Watched) -> None:
    sheet = review.page.locator("#sheet svg").bounding_box()
    first = review.page.locator('#sheet polygon[data-line="0"]').bounding_box()
    assert sheet is not None
    assert first is not None
    scale = sheet["width"] / 1000
    top = sheet["y"] + (sheet["height"] - 560 * scale) / 2
    assert first["x"] - sheet["x"] == pytest.approx(68 * scale, abs=12)
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


def test_the_picture_can_be_enlarged(review: Watched) -> None:
    before = review.page.locator("#sheet svg").bounding_box()
    review.press("z", "z")
    after = review.page.locator("#sheet svg").bounding_box()
    assert before is not None
    assert after is not None
    assert after["width"] > 1.8 * before["width"]
    review.picture("enlarged")


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
