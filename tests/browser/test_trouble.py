"""Sticks that are pulled out, images that are damaged: a clear word, and nothing lost or stuck."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from tests.browser.conftest import Watched
from tests.browser.station import Station, english, short


def test_a_stick_pulled_out_of_the_list_says_so_and_can_be_put_back(kiosk: Watched, station: Station) -> None:
    station.plug_in("STICK", {"a.png": short()})
    kiosk.page.wait_for_selector("#files li")
    station.pull("STICK")
    kiosk.shows("insert")
    kiosk.sees("U 盘已被拔出")
    kiosk.sees("The USB stick was pulled out")
    kiosk.picture("pulled-from-list")
    station.put_back("STICK")
    kiosk.shows("list")
    kiosk.press("Escape")
    kiosk.page.wait_for_selector("#notice", state="hidden")


def test_a_stick_pulled_out_while_reading_keeps_what_was_read(kiosk: Watched, station: Station) -> None:
    with a_batch_after_its_first_page(kiosk, station):
        station.pull("STICK")
        station.wait_until(lambda state: state["sticks"] == [])
    kiosk.shows("review", timeout_s=90)
    kiosk.sees("有些页面没有识别")
    kiosk.sees("1 / 8")
    found = kiosk.page.evaluate("fetch('/kiosk/pages').then(answer => answer.json())")["pages"]
    gone = [number for number, page in enumerate(found) if page["status"] == "failed"]
    assert len(gone) >= 5, "one may be at hand still, for the sake of its small picture"
    kiosk.press("Escape", *gone[-1] * ["PageDown"])
    kiosk.sees(f"{gone[-1] + 1} / 8")
    kiosk.sees("U 盘已被拔出")
    kiosk.picture("pulled-while-reading")
    station.put_back("STICK")
    station.wait_until(lambda state: len(state["sticks"]) == 1)
    kiosk.press("r")
    kiosk.page.wait_for_selector("#lines li:nth-child(7)", timeout=90_000)
    kiosk.sees(f"{gone[-1] + 1} / 8")


@contextmanager
def a_batch_after_its_first_page(kiosk: Watched, station: Station) -> Iterator[None]:
    """Eight pages, one of them read; meanwhile the engine holds the next, and the last ones wait."""
    station.plug_in("STICK", {f"{number}.png": english()[0] for number in range(1, 8)})
    kiosk.page.wait_for_selector("#files li:nth-child(7)")
    kiosk.press("Enter")
    kiosk.shows("review")
    kiosk.page.wait_for_selector("#lines li:nth-child(7)")
    station.post("look", {"at": "list"})
    kiosk.shows("list")
    with station.engine_held():
        kiosk.press("a", "Enter")
        kiosk.page.wait_for_selector('#reading-pages li[data-status="reading"]')
        yield


def test_a_stick_pulled_out_before_any_page_was_read_leads_back_to_the_start(kiosk: Watched, station: Station) -> None:
    station.plug_in("STICK", {"a.png": short()})
    kiosk.page.wait_for_selector("#files li")
    station.pull("STICK")
    kiosk.press("Enter")
    kiosk.shows("insert")
    kiosk.sees("U 盘已被拔出")


def test_pages_outlive_their_stick_and_can_be_saved_to_another(kiosk: Watched, station: Station) -> None:
    station.plug_in("ONE", {"a.png": short()})
    kiosk.page.wait_for_selector("#files li")
    kiosk.press("Enter")
    kiosk.shows("review")
    kiosk.page.wait_for_selector("#lines li")
    station.pull("ONE")
    kiosk.sees("可保存到任意 U 盘")
    kiosk.picture("pulled-in-review")
    kiosk.press("Escape", "s")
    kiosk.sees("没有可用的 U 盘")
    kiosk.press("Enter")
    station.plug_in("TWO", {})
    kiosk.knows_of(station, 1)
    kiosk.press("s")
    kiosk.shows("saved")
    assert (station.sticks / "TWO/Inkstick/a.txt").is_file()
    station.pull("TWO")
    kiosk.shows("insert")
    assert kiosk.page.locator("#notice").is_hidden()


def test_a_damaged_image_keeps_its_place_with_its_reason(kiosk: Watched, station: Station) -> None:
    station.plug_in("STICK", {"1.png": short(), "2.jpg": short()[:700], "3.png": short()})
    kiosk.page.wait_for_selector("#files li:nth-child(3)")
    kiosk.press("a", "Enter")
    kiosk.shows("review", timeout_s=90)
    kiosk.sees("1 / 3")
    kiosk.press("PageDown")
    kiosk.sees("图片已损坏")
    kiosk.sees("请重新复制")
    kiosk.picture("damaged")
    kiosk.press("s")
    kiosk.shows("saved")
    kiosk.sees("1 页未识别")
    names = sorted(path.name for path in (station.sticks / "STICK/Inkstick").iterdir())
    assert names == ["1.json", "1.txt", "3.json", "3.txt"]


def test_a_write_protected_stick_refuses_and_the_text_is_kept(kiosk: Watched, station: Station) -> None:
    stick = station.plug_in("LOCKED", {"a.png": short()})
    station.pull("LOCKED").chmod(0o555)
    kiosk.shows("insert")
    station.put_back("LOCKED")
    kiosk.page.wait_for_selector("#files li")
    kiosk.press("Enter")
    kiosk.shows("review")
    kiosk.page.wait_for_selector("#lines li")
    kiosk.press("s")
    kiosk.shows("save-failed")
    kiosk.sees("写保护")
    kiosk.picture("write-protected")
    kiosk.press("Enter")
    kiosk.shows("review")
    assert not (stick / "Inkstick").exists()


def test_two_sticks_are_offered_by_number_and_asked_for_when_saving(kiosk: Watched, station: Station) -> None:
    station.plug_in("ONE", {"first.png": short()})
    kiosk.sees("first.png")
    station.plug_in("TWO", {"second.png": short()})
    kiosk.page.wait_for_selector("#sticks button:nth-child(2)")
    kiosk.press("2")
    kiosk.sees("second.png")
    kiosk.press("Enter")
    kiosk.shows("review")
    kiosk.page.wait_for_selector("#lines li")
    kiosk.press("s")
    kiosk.sees("保存到哪个 U 盘")
    kiosk.picture("which-stick")
    kiosk.press("1")
    kiosk.shows("saved")
    assert (station.sticks / "ONE/Inkstick/second.txt").is_file()


def test_stopping_keeps_the_pages_that_were_read(kiosk: Watched, station: Station) -> None:
    with a_batch_after_its_first_page(kiosk, station):
        kiosk.press("Escape")
        station.wait_until(lambda state: state["reading"]["finished"] > 4)
    kiosk.shows("review")
    kiosk.page.wait_for_selector("#lines li")
    kiosk.sees("1 / 8")
    kiosk.press(*7 * ["PageDown"])
    kiosk.sees("8 / 8")
    kiosk.sees("可以重新识别")
