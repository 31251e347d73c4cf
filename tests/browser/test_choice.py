"""What pages are read for: tiles, forms, keys of one's own; by keyboard, in both languages."""

from __future__ import annotations

from tests.browser.conftest import Watched
from tests.browser.station import Station, png, short
from tests.pages.forms import form_page


def choice(station: Station) -> dict[str, object]:
    found = station.state()["choice"]
    assert isinstance(found, dict)
    return found


def test_tasks_that_the_engine_cannot_do_say_why(kiosk: Watched, station: Station) -> None:
    kiosk.page.wait_for_selector('[data-tile="table"][aria-disabled="true"]')
    kiosk.sees("rapidocr 只识别文字行")
    kiosk.press("w", "ArrowRight", "ArrowRight", "Enter")  # from "auto" to "document"
    kiosk.sees("本机不能做“文档”")
    kiosk.picture("task-not-here")
    kiosk.press("Escape")
    assert choice(station)["tile"] == "auto"
    kiosk.press("l")
    kiosk.sees("rapidocr reads lines of text")


def test_a_task_is_chosen_by_keyboard_and_outlives_a_reload(kiosk: Watched, station: Station) -> None:
    station.plug_in("STICK", {"a.png": short()})
    kiosk.page.wait_for_selector("#files li")
    kiosk.page.wait_for_selector('[data-tile="text"][aria-disabled="false"]')
    kiosk.press("w", "ArrowRight", "Enter")
    kiosk.page.wait_for_selector('[data-tile="text"][aria-checked="true"]')
    kiosk.page.reload()
    kiosk.page.wait_for_selector('[data-tile="text"][aria-checked="true"]')
    kiosk.page.wait_for_selector("#files li")
    kiosk.press("Enter")  # the keyboard is back at the list
    kiosk.shows("review")
    assert kiosk.page.evaluate("fetch('/kiosk/pages/0').then(r => r.json()).then(p => p.task)") == "text"


def test_a_form_gives_its_fields(kiosk: Watched, station: Station) -> None:
    station.plug_in("STICK", {"card.png": png(form_page("identity-card").image)})
    kiosk.page.wait_for_selector("#files li")
    kiosk.page.wait_for_selector('[data-tile="fields"][aria-disabled="false"]')
    kiosk.page.click('[data-tile="fields"]')
    kiosk.page.get_by_role("button", name="居民身份证", exact=True).click()
    kiosk.page.wait_for_selector('[data-tile="fields"][aria-checked="true"]')
    kiosk.sees("公民身份号码")
    kiosk.press("Enter")
    kiosk.shows("review")
    page = kiosk.page.evaluate("fetch('/kiosk/pages/0').then(r => r.json())")
    assert {field["key"] for field in page["fields"]["fields"]} >= {"姓名", "公民身份号码"}


def test_keys_of_ones_own_are_kept_as_a_form(kiosk: Watched, station: Station) -> None:
    kiosk.page.wait_for_selector('[data-tile="fields"][aria-disabled="false"]')
    kiosk.page.click('[data-tile="fields"]')
    kiosk.page.fill("#form-keys", "姓名，编号")
    kiosk.press("F3")
    kiosk.sees("表单还没有名字")
    kiosk.press("Escape")
    kiosk.page.click('[data-tile="fields"]')
    kiosk.page.fill("#form-keys", "姓名\n编号")
    kiosk.page.fill("#form-name", "入库单")
    kiosk.picture("own-form-dialog")
    kiosk.press("F3")
    kiosk.page.wait_for_selector('#own-forms [aria-pressed="true"]')
    kiosk.picture("own-form")
    assert choice(station)["keys"] == ["姓名", "编号"]
    kiosk.page.click('[data-tile="auto"]')
    kiosk.page.wait_for_selector('[data-tile="auto"][aria-checked="true"]')
    kiosk.page.get_by_role("button", name="入库单", exact=True).click()
    kiosk.page.wait_for_selector('[data-tile="fields"][aria-checked="true"]')
    kiosk.page.get_by_role("button", name="删除表单 入库单").click()
    kiosk.page.wait_for_selector("#own-forms", state="hidden")
