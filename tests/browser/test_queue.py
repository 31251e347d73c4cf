"""The queue: pages of many kinds, paused, taken out, tried again, looked at while others are read."""

from __future__ import annotations

import io
import json

from PIL import Image

from tests.browser.conftest import Watched
from tests.browser.station import Station, english, png, short
from tests.pages.render import render

READ_S = 240


def tiny(number: int) -> bytes:
    """A page of its own that is read in a moment."""
    strip = render("english").image.crop((0, 0, 900, 260))
    sheet = Image.new("RGB", (900, 270 + number), "white")
    sheet.paste(strip)
    return png(sheet)


def pdf(pages: int) -> bytes:
    drawn = [Image.open(io.BytesIO(tiny(number))).convert("RGB") for number in range(pages)]
    output = io.BytesIO()
    drawn[0].save(output, "PDF", save_all=True, append_images=drawn[1:], resolution=150)
    return output.getvalue()


def numbers(station: Station) -> dict[str, int]:
    reading = station.state()["reading"]
    assert isinstance(reading, dict)
    return reading


def row(status: str) -> str:
    return f'#reading-pages li[data-status="{status}"]'


def test_fifty_pages_are_read_and_the_first_is_looked_at_while_the_rest_runs(kiosk: Watched, station: Station) -> None:
    station.plug_in("STICK", {f"{number:02}.png": tiny(number) for number in range(50)})
    kiosk.page.wait_for_selector("#files li:nth-child(50)")
    kiosk.press("a")
    kiosk.sees("已选 50 张")
    kiosk.press("Enter")
    kiosk.shows("reading")
    kiosk.page.wait_for_selector(row("read"), timeout=90_000)
    kiosk.page.wait_for_selector("#reading-pages .thumb img")
    kiosk.sees("大约还需")
    kiosk.picture("queue")
    with station.engine_held():
        kiosk.press("e")
        kiosk.shows("review")
        kiosk.sees("The records office opens")
        assert numbers(station)["running"]
        kiosk.sees("正在识别")
        kiosk.picture("review-while-reading")
        kiosk.press("q")
        kiosk.shows("reading")
        kiosk.press("l")
        kiosk.sees("Look at the results")
        kiosk.picture("queue-english")
    kiosk.shows("review", timeout_s=READ_S)
    kiosk.sees("1 / 50")
    kiosk.press("s")
    kiosk.shows("saved", timeout_s=120)
    texts = list((station.sticks / "STICK/Inkstick").glob("*.txt"))
    assert len(texts) == 50
    assert all("records office" in text.read_text(encoding="utf-8") for text in texts)


def test_a_pdf_of_twenty_pages_is_read_page_by_page(kiosk: Watched, station: Station) -> None:
    station.plug_in("STICK", {"contract.pdf": pdf(20)})
    kiosk.page.wait_for_selector("#files li img")
    kiosk.press("Enter")
    kiosk.sees("contract.pdf · 第 20 / 20 页")
    kiosk.shows("review", timeout_s=READ_S)
    kiosk.sees("1 / 20")
    found = kiosk.page.evaluate("fetch('/kiosk/pages').then(answer => answer.json())")["pages"]
    assert [(page["place"], page["sheets"], page["status"]) for page in found] == [(n, 20, "read") for n in range(20)]
    page = kiosk.page.evaluate("fetch('/kiosk/pages/19').then(answer => answer.json())")
    assert page["has_picture"]
    assert "records office" in "".join(line["text"] for line in page["lines"])


def test_pausing_taking_out_and_trying_again(kiosk: Watched, station: Station) -> None:
    station.plug_in("STICK", {f"{number}.png": english()[0] for number in range(1, 6)})
    kiosk.page.wait_for_selector("#files li:nth-child(5)")
    with station.engine_held():
        kiosk.press("a", "Enter")
        kiosk.page.wait_for_selector(row("reading"), timeout=60_000)
        kiosk.press(" ")
        station.wait_until(lambda state: state["reading"]["paused"])
    kiosk.sees("已暂停", timeout_s=60)
    kiosk.page.wait_for_function(
        "() => document.querySelectorAll('#reading-pages li[data-status=reading]').length === 0", timeout=60_000
    )
    before = numbers(station)
    assert before["paused"] and before["running"] and before["read"] >= 1
    kiosk.picture("paused")
    kiosk.press("End", "Delete")
    kiosk.page.wait_for_selector(f"{row('stopped')}:last-child")
    kiosk.page.wait_for_timeout(1500)
    assert numbers(station)["read"] == before["read"]
    kiosk.press(" ")
    kiosk.shows("review", timeout_s=READ_S)
    after = numbers(station)
    assert (after["read"], after["failed"]) == (4, 0)
    kiosk.sees("1 / 5")
    kiosk.press("PageDown", "PageDown", "PageDown", "PageDown")
    kiosk.sees("5 / 5")
    kiosk.press("r")
    kiosk.shows("review", timeout_s=READ_S)
    station.wait_until(lambda state: state["reading"]["read"] == 5)


def test_more_pages_are_added_while_others_are_read(kiosk: Watched, station: Station) -> None:
    station.plug_in("STICK", {f"{number}.png": english()[0] for number in range(1, 4)})
    kiosk.page.wait_for_selector("#files li:nth-child(3)")
    with station.engine_held():
        kiosk.press("a", "Enter")
        kiosk.page.wait_for_selector(row("reading"), timeout=60_000)
        kiosk.press(" ", "m")
        kiosk.shows("list")
        kiosk.sees("已暂停")
        kiosk.press("Home", "Enter")
        kiosk.page.wait_for_selector("#reading-pages li:nth-child(4)")
        kiosk.press(" ")
    kiosk.shows("review", timeout_s=READ_S)
    kiosk.sees("1 / 4")


def test_the_engine_is_killed_and_the_batch_is_finished(kiosk: Watched, station: Station) -> None:
    station.plug_in("STICK", {f"{number}.png": english()[0] for number in range(1, 5)})
    kiosk.page.wait_for_selector("#files li:nth-child(4)")
    with station.engine_held():
        kiosk.press("a", "Enter")
        kiosk.page.wait_for_selector(row("reading"), timeout=60_000)
        station.kill_engine()
    kiosk.sees("识别引擎正在启动", timeout_s=60)
    kiosk.picture("engine-killed")
    kiosk.shows("review", timeout_s=READ_S)
    after = numbers(station)
    assert (after["read"], after["failed"]) == (4, 0)


def test_a_page_that_fails_keeps_its_place_with_reason_and_remedy(kiosk: Watched, station: Station) -> None:
    names = {"1.jpg": short()[:700], "2.png": short(), "3.png": english()[0], "4.png": english()[0]}
    station.plug_in("STICK", names)
    kiosk.page.wait_for_selector("#files li:nth-child(4)")
    with station.engine_held():
        kiosk.press("a", "Enter")
        failed = kiosk.page.wait_for_selector(f"{row('failed')}:nth-child(1)", timeout=60_000)
        assert failed is not None
        assert "图片已损坏" in failed.inner_text() and "请重新复制" in failed.inner_text()
        kiosk.picture("queue-with-a-failure")
    kiosk.shows("review", timeout_s=READ_S)
    assert json.loads(json.dumps(numbers(station)))["failed"] == 1
