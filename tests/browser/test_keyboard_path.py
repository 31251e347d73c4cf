"""The way through the page by keyboard alone, with the real engine."""

from __future__ import annotations

import json

import openpyxl

from tests.browser.conftest import Watched
from tests.browser.station import Station, chinese, english, png, short
from tests.pages.cer import cer
from tests.pages.forms import form_page


def test_from_a_stick_to_saved_text_by_plain_keys(kiosk: Watched, station: Station) -> None:
    (page, truth), (han_page, han_truth) = english(), chinese()
    kiosk.shows("insert")
    kiosk.picture("1-insert")
    station.plug_in("KINGSTON", {"english.png": page, "合同/第一页.png": han_page})
    kiosk.page.wait_for_selector("#files li:nth-child(2)")
    kiosk.sees("第一页.png")
    kiosk.sees("合同")
    kiosk.page.wait_for_selector("#files li:nth-child(2) img")
    kiosk.press("a")
    kiosk.sees("已选 2 张")
    kiosk.picture("2-list")
    with station.engine_held():
        kiosk.press("Enter")
        kiosk.shows("reading")
        kiosk.picture("3-reading")
    kiosk.shows("review", timeout_s=180)
    kiosk.sees("The records office opens")
    kiosk.picture("4-review-english")
    kiosk.press("PageDown")
    kiosk.sees("档案室每天")
    kiosk.picture("5-review-chinese")
    kiosk.press("s")
    kiosk.shows("saved")
    kiosk.sees("可以安全拔出 U 盘")
    kiosk.sees("Safe to remove the USB stick")
    kiosk.sees("第一页.txt")
    kiosk.picture("6-saved")
    saved = station.sticks / "KINGSTON" / "Inkstick"
    assert cer(truth, (saved / "english.txt").read_text(encoding="utf-8")) <= 0.02
    assert cer(han_truth, (saved / "第一页.txt").read_text(encoding="utf-8")) <= 0.02
    record = json.loads((saved / "english.json").read_bytes())
    assert record["file"] == "english.png"
    assert record["engine"]["name"] == "rapidocr"
    assert len(record["lines"]) == 7


def test_the_whole_way_in_english_ends_with_a_ledger_in_english(kiosk: Watched, station: Station) -> None:
    """Two invoices and a page in one workbook: its headings, and where each row is from."""
    invoices = [form_page("vat-invoice", seed) for seed in (1, 2)]
    pages = {f"invoice {n}.png": png(made.image) for n, made in enumerate(invoices, 1)}
    kiosk.press("l")
    kiosk.page.wait_for_selector('html[lang="en"]')
    station.plug_in("STICK", {**pages, "letter.png": short()})
    kiosk.page.wait_for_selector("#files li:nth-child(3)")
    kiosk.press("a")
    kiosk.sees("3 files, 3 chosen")
    kiosk.sees("Read 3 chosen")
    kiosk.press("Enter")
    kiosk.shows("review", timeout_s=180)
    kiosk.sees("VAT invoice")
    kiosk.page.wait_for_selector("#fields > li.at")
    kiosk.press("Enter", "Control+a")
    kiosk.page.keyboard.type("corrected")
    kiosk.press("Enter")
    kiosk.sees("corrected")
    kiosk.page.wait_for_selector("#review-undo:not(:disabled)")
    kiosk.press("Control+z")
    kiosk.sees("Undone (changes: 1, pages: 1)")
    kiosk.press("o")
    kiosk.page.wait_for_selector("#ask-exports[open]")
    kiosk.press("5", "1", "2", "b", "Enter")
    kiosk.shows("saved")
    kiosk.sees("3 pages (1 file) saved on STICK in the folder Inkstick")
    kiosk.picture("saved-english")
    (saved,) = (station.sticks / "STICK/Inkstick").iterdir()
    book = openpyxl.load_workbook(saved)
    assert book.sheetnames == ["VAT invoice", "Fields", "Lines"]
    heading, *rows = book["VAT invoice"].values
    assert heading[:2] == ("File", "Page")
    number = heading.index("发票号码")
    found = {row[0]: row[number] for row in rows}
    assert found == {f"invoice {n}.png": made.fields["发票号码"] for n, made in enumerate(invoices, 1)}


def test_reading_and_saving_again_overwrites_nothing(kiosk: Watched, station: Station) -> None:
    station.plug_in("STICK", {"page.png": short()})
    kiosk.page.wait_for_selector("#files li")
    for _ in range(2):
        kiosk.press("Enter")
        kiosk.shows("review")
        kiosk.page.wait_for_selector("#lines li")
        kiosk.press("F2")
        kiosk.shows("saved")
        kiosk.press("Enter")  # go on with this stick
        kiosk.shows("list")
        kiosk.page.wait_for_selector("#files li")
    saved = station.sticks / "STICK" / "Inkstick"
    assert sorted(path.name for path in saved.iterdir()) == [
        "page-2.json",
        "page-2.txt",
        "page.json",
        "page.txt",
    ]


def test_space_chooses_one_page_and_escape_gives_up_only_after_asking(kiosk: Watched, station: Station) -> None:
    station.plug_in("STICK", {"a.png": short(), "b.png": short(), "c.png": short()})
    kiosk.page.wait_for_selector("#files li:nth-child(3)")
    kiosk.press("ArrowDown", "Space")
    kiosk.sees("已选 1 张")
    kiosk.press("Enter")
    kiosk.shows("review")
    kiosk.sees("b.png")
    kiosk.sees("1 / 1")
    kiosk.press("Escape")
    kiosk.sees("还没有保存")
    kiosk.picture("not-saved-yet")
    kiosk.press("Enter")  # the answer that does no harm
    kiosk.shows("review")
    kiosk.press("Escape")
    kiosk.sees("还没有保存")
    kiosk.press("d")
    kiosk.shows("list")


def test_every_button_can_be_reached_and_its_hint_is_its_key(kiosk: Watched, station: Station) -> None:
    station.plug_in("STICK", {"a.png": short()})
    kiosk.page.wait_for_selector("#files li")
    kiosk.press("?")
    kiosk.sees("按键说明")
    kiosk.picture("keys")
    kiosk.press("Escape")
    reached = set()
    for _ in range(30):
        kiosk.press("Tab")
        reached.add(kiosk.page.evaluate("document.activeElement.dataset?.do ?? document.activeElement.id"))
    assert {"language", "help", "power", "choose-all", "read", "files"} <= reached


def test_language_changes_at_a_key_and_outlives_a_reload(kiosk: Watched, station: Station) -> None:
    station.plug_in("STICK", {"a.png": short()})
    kiosk.sees("请选择要识别的文件")
    kiosk.press("l")
    kiosk.page.wait_for_selector('html[lang="en"]')
    kiosk.sees("Select all")
    kiosk.sees("1 file, 0 chosen")
    assert kiosk.page.locator("#list h1 small").inner_text() == "请选择要识别的文件"
    kiosk.picture("list-english")
    kiosk.page.reload()
    kiosk.sees("Select all")
    kiosk.press("F9")
    kiosk.sees("全选")


def test_counts_and_long_times_are_said_as_people_say_them(kiosk: Watched) -> None:
    def said(call: str) -> object:
        return kiosk.page.evaluate(f"() => import('/static/js/words.js').then(words => words.{call})")

    assert [said(f't("camera.count", {{ count: {n} }}, "en")') for n in (0, 1, 2)] == [
        "0 pages taken",
        "1 page taken",
        "2 pages taken",
    ]
    times = [said(f"duration({s})") for s in (99, 100, 3599, 3600, 76_197)]
    assert times == ["99 秒", "1 分 40 秒", "59 分 59 秒", "1 小时 0 分", "21 小时 9 分"]


def test_a_key_right_after_a_dialog_was_closed_goes_to_the_page(kiosk: Watched) -> None:
    """The browser tells of the closing with the next frame, and leaves the focus on the hidden field until then."""
    kiosk.page.evaluate("""() => {
      document.activeElement.blur();
      const field = document.getElementById("form-name");
      field.closest("dialog").showModal();
      field.focus();
      field.closest("dialog").close();
      field.dispatchEvent(new KeyboardEvent("keydown", { key: "F7", bubbles: true, cancelable: true }));
    }""")
    kiosk.page.wait_for_selector("#view[open]")


def test_power_off_asks_first_and_is_refused_where_it_is_not_a_station(kiosk: Watched) -> None:
    kiosk.shows("insert")
    kiosk.page.wait_for_selector("#no-helper", state="hidden")
    kiosk.press("p")
    kiosk.sees("不能在这里关机")
    kiosk.picture("power-not-available")
    kiosk.press("Enter")
    kiosk.page.wait_for_selector("dialog", state="hidden")


def test_on_a_station_power_off_is_one_key_and_a_yes(kiosk: Watched, station: Station) -> None:
    """The folder helper cannot power off; the page is told that it can, and what it sends is caught."""
    state = {**station.state(), "can_power_off": True}
    sent: list[str | None] = []
    body = f"event: state\ndata: {json.dumps(state)}\n\n"
    kiosk.page.route("**/kiosk/events", lambda route: route.fulfill(body=body, content_type="text/event-stream"))

    def caught(route: object) -> None:
        sent.append(route.request.post_data)  # type: ignore[attr-defined]
        route.fulfill(status=204)  # type: ignore[attr-defined]

    kiosk.page.route("**/kiosk/power", caught)
    kiosk.page.reload()
    kiosk.page.wait_for_selector("#no-helper", state="hidden")
    kiosk.press("p")
    kiosk.sees("要关机吗")
    kiosk.picture("power-off")
    kiosk.press("Escape")
    kiosk.page.wait_for_selector("dialog", state="hidden")
    assert sent == []
    kiosk.press("F10")
    kiosk.sees("要关机吗")
    with kiosk.page.expect_response("**/kiosk/power"):  # once it is answered, it was caught
        kiosk.press("Enter")
    assert sent == ['{"action":"poweroff"}']
