"""A batch checked and corrected by keyboard alone: a card with a wrong check digit, doubts over pages, replacing."""

from __future__ import annotations

import json

import pytest

from tests.browser.conftest import Watched
from tests.browser.station import Station, english, png
from tests.pages.forms import FORMS
from tests.pages.invented import Invented

_DIGITS = "0123456789X"


class Misprinted(Invented):
    """Identity numbers whose check digit is wrong; `right` is the last one as it should be."""

    right = ""

    def identity(self, born: tuple[int, int, int], woman: bool) -> str:
        self.right = super().identity(born, woman)
        return self.right[:-1] + _DIGITS[(_DIGITS.index(self.right[-1]) + 3) % 11]


@pytest.fixture
def made() -> Misprinted:
    return Misprinted(3000)


@pytest.fixture
def batch(kiosk: Watched, station: Station, made: Misprinted) -> Watched:
    """A page of text, the card, the text again; the first page is shown."""
    card, _ = FORMS["identity-card"](made)
    page, _ = english()
    station.plug_in("STICK", {"1.png": page, "2-card.png": png(card), "3.png": page})
    kiosk.page.wait_for_selector("#files li:nth-child(3)", timeout=60_000)
    kiosk.press("a", "Enter")
    kiosk.shows("review", timeout_s=300)
    kiosk.page.wait_for_selector("#lines li:nth-child(7)")
    return kiosk


def number_field(kiosk: Watched) -> str:
    return kiosk.page.locator('#fields li[data-target="field:公民身份号码"]').inner_text()


def test_a_doubtful_place_that_is_right_is_confirmed_and_skipped(batch: Watched, station: Station) -> None:
    page = batch.page
    batch.press("Tab")
    page.wait_for_selector('#fields > li.at[data-target="field:公民身份号码"]', timeout=60_000)
    before = page.evaluate("fetch('/kiosk/pages/1').then(a => a.json()).then(p => p.doubts.length)")
    page.wait_for_selector("#review-confirm button")
    batch.picture("confirm-offered")
    batch.press("y")
    page.wait_for_selector('#fields > li[data-target="field:公民身份号码"]:not(.doubtful)')
    assert "已确认" in number_field(batch)
    after = page.evaluate("fetch('/kiosk/pages/1').then(a => a.json()).then(p => p.doubts.length)")
    assert after == before - 1
    batch.picture("confirmed")
    page.wait_for_selector("#review-undo:not(:disabled)")
    batch.press("Control+z")
    page.wait_for_selector('#fields > li.doubtful[data-target="field:公民身份号码"]')


def test_tab_leads_to_the_failed_check_which_is_corrected_until_it_passes(
    batch: Watched, station: Station, made: Misprinted
) -> None:
    page = batch.page
    batch.press("Tab")
    page.wait_for_selector('#fields > li.at[data-target="field:公民身份号码"]', timeout=60_000)
    assert page.locator("#fields > li").first.get_attribute("data-target") == "field:公民身份号码"
    assert "校验不通过" in number_field(batch)
    assert "校验位不符" in number_field(batch)
    page.wait_for_selector("#fields li.at .crop svg image", state="attached")
    batch.picture("fields-check-failed")
    batch.press("Enter", "Control+a")
    page.keyboard.type(made.right[:-1])  # still wrong
    batch.press("Enter")
    batch.sees("不是 17 位数字加一位数字或 X")
    batch.press("Enter", "Control+a")
    page.keyboard.type(made.right)
    batch.press("Enter")
    page.wait_for_selector("#fields li.at .checks .pass")
    assert "已修改" in number_field(batch)
    batch.picture("fields-check-passes")
    batch.press("l")
    batch.sees("The check digit fits.")
    batch.picture("fields-check-passes-en")
    batch.press("2")
    batch.sees("corrected")
    assert page.locator("#lines li", has_text=made.right).count() == 1
    batch.press("s")
    batch.shows("saved")
    record = json.loads((station.sticks / "STICK/Inkstick/2-card.json").read_bytes())
    assert record["corrected"] is True
    assert made.right in record["text"]


def test_when_nothing_is_doubtful_tab_goes_on_to_the_buttons(batch: Watched, made: Misprinted) -> None:
    batch.press("Tab")
    batch.page.wait_for_selector("#fields > li.at", timeout=60_000)
    batch.press("Enter", "Control+a")
    batch.page.wait_for_selector("#fields textarea", timeout=60_000)
    batch.page.keyboard.type(made.right)
    batch.press("Enter")
    batch.page.wait_for_selector("#fields li.at .checks .pass")
    for _ in range(20):  # over the lines of the text pages that the engine was unsure of
        batch.press("Tab")
        batch.page.wait_for_timeout(200)
        if batch.page.evaluate("document.activeElement.tagName") == "BUTTON":
            break
    assert batch.page.evaluate("document.activeElement.tagName") == "BUTTON"
    batch.sees("没有其他存疑的地方了")


def test_a_field_may_have_lines_and_is_not_changed_by_a_look(batch: Watched) -> None:
    address = '#fields > li[data-target="field:住址"]'
    place = batch.page.locator(address)
    batch.press("PageDown")
    place.click()
    batch.press("Enter", "Control+a")
    batch.page.keyboard.type("First Street 1")
    batch.press("Shift+Enter")
    batch.page.keyboard.type("Back door")
    batch.press("Enter")
    batch.page.wait_for_selector(f"{address} s.was")
    assert place.locator(".words").inner_text() == "First Street 1\nBack door"
    batch.picture("field-of-two-lines")
    edits = "fetch('/kiosk/pages/1').then(a => a.json()).then(p => p.fields.fields.find(f => f.key === '住址').value)"
    assert batch.page.evaluate(edits) == "First Street 1\nBack door"
    batch.press("Enter")
    batch.page.wait_for_selector(f"{address} textarea")
    batch.press("Enter")
    batch.page.wait_for_selector(f"{address} textarea", state="detached")
    batch.page.wait_for_selector("#review-undo:not(:disabled)")
    batch.press("Control+z")  # takes back the one change there is
    batch.page.wait_for_selector(f"{address} s.was", state="detached")


def test_words_are_replaced_on_all_pages_and_taken_back_as_one_step(batch: Watched) -> None:
    page = batch.page
    batch.press("f")
    page.wait_for_selector("#replace[open]")
    page.keyboard.type("PARCEL")
    batch.sees("共 2 处，分布在 2 页的 2 个位置")
    assert page.locator("#replace-found mark").all_inner_texts() == ["parcel", "parcel"]
    batch.press("Enter")
    page.keyboard.type("letter")
    batch.picture("replace")
    batch.press("Enter")
    batch.sees("已替换：2 页，2 个位置")
    batch.sees("Every letter that comes")
    batch.press("PageDown", "PageDown")
    batch.sees("3 / 3")
    batch.sees("Every letter that comes")
    assert page.locator("#review-said").inner_text() == ""  # what was done is said until something else is
    page.wait_for_selector("#review-undo:not(:disabled)")
    batch.press("Control+z")
    batch.sees("已撤销：2 页，2 处")
    batch.sees("1 / 3")
    page.wait_for_selector('#lines li[data-line="1"]:has-text("Every parcel that comes")')


def test_a_place_that_is_left_out_stays_as_it_is(batch: Watched) -> None:
    batch.press("f")
    batch.page.keyboard.type("parcel")
    batch.sees("2 个位置")
    batch.page.locator("#replace-found input").first.click()
    batch.sees("替换 1 个位置")
    batch.page.locator("#replace-with").fill("letter")
    batch.page.locator('#replace [data-do="replace-all"]').click()
    batch.sees("已替换：1 页，1 个位置")
    batch.sees("Every parcel that comes")


def test_two_pages_and_all_pages_are_seen_together(batch: Watched) -> None:
    page = batch.page
    pictures = "() => performance.getEntriesByType('resource').filter(({name}) => name.includes('/picture')).length"
    batch.press("d")
    batch.sees("双页")
    page.wait_for_function(f"() => ({pictures})() >= 2", timeout=60_000)
    batch.picture("two-pages")
    sheet = page.locator("#sheet").bounding_box()
    assert sheet is not None
    page.mouse.click(sheet["x"] + sheet["width"] * 0.75, sheet["y"] + sheet["height"] * 0.5)
    batch.sees("2 / 3")
    batch.press("d")
    batch.sees("连续")
    batch.picture("continuous")
    page.mouse.move(sheet["x"] + sheet["width"] / 2, sheet["y"] + sheet["height"] / 2)
    for _ in range(12):
        page.mouse.down()
        page.mouse.move(sheet["x"] + sheet["width"] / 2, sheet["y"] + 20, steps=3)
        page.mouse.up()
        page.mouse.move(sheet["x"] + sheet["width"] / 2, sheet["y"] + sheet["height"] / 2)
        if page.locator("#review-number").inner_text() == "3 / 3":
            break
        page.wait_for_timeout(200)
    batch.sees("3 / 3")


def test_the_keys_are_shown(batch: Watched) -> None:
    batch.press("?")
    batch.page.wait_for_selector("#keys[open]")
    for words in ("Ctrl+Z", "Shift+Tab", "在全部页面中查找和替换"):
        batch.sees(words)
    batch.picture("review-keys")
    batch.page.set_viewport_size({"width": 1024, "height": 600})
    answer = batch.page.locator("#keys .main").bounding_box()
    assert answer and answer["y"] + answer["height"] < 600  # in sight, however long the list


@pytest.mark.parametrize("kiosk", [(1024, 768)], indirect=True)
def test_a_form_fits_a_small_screen(batch: Watched) -> None:
    batch.press("Tab")
    batch.page.wait_for_selector("#fields > li.at", timeout=60_000)
    batch.picture("fields-1024")
    for selector in ("#sheet", "#fields", '#review [data-do="save"]', "#panes", "#review-undo"):
        box = batch.page.locator(selector).bounding_box()
        assert box is not None
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 1024
        assert box["y"] + box["height"] <= 768
