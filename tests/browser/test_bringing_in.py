"""Bringing pages in: folders, names, pages of a PDF, passwords, paste, drop, a watched folder."""

from __future__ import annotations

import base64
import io
import time
from collections.abc import Callable

import pikepdf
from fpdf import FPDF

from runtime.evidence import __main__ as evidence
from tests.browser.conftest import Watched
from tests.browser.station import Station, short
from tests.browser.test_queue import READ_S, numbers, pdf


def until(fits: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 90
    while not fits():
        assert time.monotonic() < deadline
        time.sleep(0.2)


def test_folders_are_walked_and_names_are_sought(kiosk: Watched, station: Station) -> None:
    files = {f"合同/2025/{n}.png": short() for n in range(3)} | {"合同/封面.png": short(), "invoice-7.png": short()}
    station.plug_in("STICK", files)
    kiosk.page.wait_for_selector("#files li:nth-child(5)")
    kiosk.page.get_by_role("button", name="合同").click()
    kiosk.sees("共 4 张")
    kiosk.page.get_by_role("button", name="2025").click()
    kiosk.sees("共 3 张")
    kiosk.picture("folder")
    kiosk.press("a")
    kiosk.sees("已选 3 张")
    kiosk.press("Escape")
    kiosk.sees("共 5 张")
    kiosk.press("/")
    kiosk.page.keyboard.type("INVOICE")
    kiosk.sees("共 1 张")
    kiosk.picture("found-by-name")
    kiosk.press("Escape")
    kiosk.sees("共 5 张，已选 3 张")


def test_names_that_an_old_system_wrote_are_right(kiosk: Watched, station: Station) -> None:
    name = "发票.png".encode("gb18030").decode("utf-8", "surrogateescape")
    station.plug_in("OLD", {name: short()})
    kiosk.sees("发票.png")
    kiosk.press("Enter")
    kiosk.shows("review", timeout_s=READ_S)
    kiosk.sees("发票.png")


def test_pages_of_a_pdf_are_chosen_by_number_or_picture(kiosk: Watched, station: Station) -> None:
    station.plug_in("STICK", {"contract.pdf": pdf(6)})
    kiosk.page.wait_for_selector("#files li img")
    kiosk.press("g")
    kiosk.page.wait_for_selector("#range-pages button:nth-child(6) img")
    kiosk.page.fill("#range-text", "2-3")
    kiosk.page.click("#range-pages button:nth-child(6)")
    assert kiosk.page.input_value("#range-text") == "2-3,6"
    kiosk.picture("pages-of-a-pdf")
    kiosk.page.fill("#range-text", "2-9")
    kiosk.page.press("#range-text", "Enter")
    kiosk.sees("请写 1 到 6 之间的页码")
    kiosk.page.fill("#range-text", "2-3,6")
    kiosk.page.press("#range-text", "Enter")
    kiosk.sees("第 2-3,6 页")
    kiosk.press("Enter")
    kiosk.shows("review", timeout_s=READ_S)
    found = kiosk.page.evaluate("fetch('/kiosk/pages').then(answer => answer.json())")["pages"]
    assert [page["place"] for page in found] == [1, 2, 5]


def test_an_encrypted_pdf_asks_for_its_password(kiosk: Watched, station: Station) -> None:
    station.plug_in("STICK", {"secret.pdf": locked_pdf("This page lies behind a password.", "open sesame")})
    kiosk.page.wait_for_selector("#files li")
    kiosk.press("Enter")
    kiosk.shows("review", timeout_s=READ_S)
    kiosk.sees("文档有密码保护")
    kiosk.press("k")
    kiosk.page.fill("#password", "wrong")
    kiosk.page.press("#password", "Enter")
    station.wait_until(lambda state: not state["reading"]["running"])
    kiosk.shows("review", timeout_s=READ_S)
    kiosk.press("k")
    kiosk.sees("文件有密码")
    kiosk.picture("password")
    kiosk.page.fill("#password", "open sesame")
    kiosk.page.press("#password", "Enter")
    until(lambda: numbers(station)["read"] == 1)
    page = kiosk.page.evaluate("fetch('/kiosk/pages/0').then(answer => answer.json())")
    assert "behind a password" in page["text"]


def test_a_picture_is_pasted_and_a_file_dropped(kiosk: Watched, station: Station) -> None:
    send = """([kind, name, bytes]) => {
      const data = new DataTransfer();
      data.items.add(new File([Uint8Array.from(atob(bytes), c => c.charCodeAt(0))], name, {type: "image/png"}));
      const event = kind === "paste"
        ? new ClipboardEvent("paste", {clipboardData: data, bubbles: true, cancelable: true})
        : new DragEvent("drop", {dataTransfer: data, bubbles: true, cancelable: true});
      document.body.dispatchEvent(event);
    }"""
    picture = base64.b64encode(short()).decode()
    kiosk.shows("insert")
    kiosk.page.evaluate(send, ["paste", "image.png", picture])
    kiosk.shows("review", timeout_s=READ_S)
    kiosk.sees("粘贴的图片")
    kiosk.page.evaluate(send, ["drop", "从桌面.png", picture])
    until(lambda: numbers(station)["read"] == 2)
    found = kiosk.page.evaluate("fetch('/kiosk/pages').then(answer => answer.json())")["pages"]
    assert [page["origin"] for page in found] == ["paste", "upload"]
    assert found[1]["name"] == "从桌面.png"


def test_what_comes_into_a_watched_folder_is_read_and_saved(kiosk: Watched, station: Station) -> None:
    stick = station.plug_in("SHARED", {"进件/旧.png": short(), "other.png": short()})
    kiosk.page.wait_for_selector("#files li:nth-child(2)")
    kiosk.page.get_by_role("button", name="进件").click()
    kiosk.press("f")
    kiosk.sees("正在监视 SHARED 的 进件")
    kiosk.page.get_by_role("button", name="结果自动存到此 U 盘").click()
    kiosk.page.wait_for_selector('#watch-saves[aria-pressed="true"]')
    (stick / "进件/新.png").write_bytes(short())
    (stick / "elsewhere.png").write_bytes(short())
    kiosk.sees("新来 1 个文件，已保存 1 页", timeout_s=90)
    kiosk.picture("watched")
    assert (stick / "Inkstick/新.txt").is_file()
    assert not (stick / "Inkstick/旧.txt").exists()
    kiosk.press("q")
    kiosk.shows("review")
    kiosk.sees("新.png")
    station.post("watch/end")


def test_a_watched_stick_that_takes_nothing_says_so_and_gets_all_with_evidence_when_asked_again(
    kiosk: Watched, station: Station
) -> None:
    """A folder's size is its file system's: write protection is what can be had here."""
    station.post("exports", {"formats": ["text"], "per": "page", "evidence": True, "who": "王"}, "PUT")
    station.plug_in("SHARED", {"旧.png": short()})
    station.pull("SHARED").chmod(0o555)
    kiosk.shows("insert")
    stick = station.put_back("SHARED")
    kiosk.page.wait_for_selector("#files li")
    kiosk.press("f")
    kiosk.page.locator("#watch-saves").click()
    kiosk.page.wait_for_selector('#watch-saves[aria-pressed="true"]')
    (stick / "新.png").write_bytes(short())
    kiosk.page.wait_for_selector('#watching.refused #watch-saves[aria-pressed="false"]', timeout=90_000)
    kiosk.sees("结果没有存到 SHARED：U 盘处于写保护状态")
    kiosk.picture("watched-refused")
    assert not (stick / "Inkstick").exists()
    station.pull("SHARED").chmod(0o755)
    station.wait_until(lambda state: not state["sticks"])
    station.put_back("SHARED")
    station.wait_until(lambda state: len(state["sticks"]) == 1 and not state["watch"]["problem"])
    kiosk.page.locator("#watch-saves").click()
    kiosk.sees("新来 1 个文件，已保存 1 页", timeout_s=90)
    names = sorted(each.name for each in (stick / "Inkstick").iterdir())
    assert names == ["evidence.jsonl", "新.txt"]
    assert evidence.main(["verify", str(stick / "Inkstick/evidence.jsonl")]) == 0
    station.post("watch/end")


def test_the_list_of_a_thousand_files_holds_only_what_is_near_the_view(kiosk: Watched, station: Station) -> None:
    page = short()
    station.plug_in("FULL", {f"{number:04}.png": page for number in range(1000)})
    kiosk.sees("共 1000 张")
    kiosk.press("End")
    kiosk.sees("0999.png")
    assert kiosk.page.locator("#files li").count() < 60
    kiosk.press("a")
    kiosk.sees("已选 1000 张")


def locked_pdf(words: str, password: str) -> bytes:
    """A page that was born digital, encrypted with AES."""
    drawn = FPDF()
    drawn.add_page()
    drawn.set_font("helvetica", size=20)
    drawn.cell(text=words)
    output = io.BytesIO()
    with pikepdf.open(io.BytesIO(bytes(drawn.output()))) as document:
        document.save(output, encryption=pikepdf.Encryption(owner=password, user=password))
    return output.getvalue()


def test_the_stick_that_is_shown_can_be_chosen_again_and_its_results_are_not_listed(
    kiosk: Watched, station: Station
) -> None:
    stick = station.plug_in("STICK", {"1.png": short(), "Inkstick/1.pdf": b"saved before"})
    kiosk.page.wait_for_selector("#files li")
    assert kiosk.page.locator("#files li").count() == 1
    for _ in range(3):
        kiosk.page.locator("#sticks button").click()
    kiosk.press("Enter")
    kiosk.shows("review", timeout_s=READ_S)
    kiosk.page.wait_for_selector("#lines li")
    kiosk.press("x")
    kiosk.page.wait_for_selector("#ask-forget[open]")
    kiosk.press("d")
    kiosk.shows("list")
    (stick / "2.png").write_bytes(short())
    kiosk.page.locator("#sticks button").click()
    kiosk.page.wait_for_selector("#files li:nth-child(2)")
    assert kiosk.page.locator("#files .name").all_inner_texts() == ["1.png", "2.png"]
