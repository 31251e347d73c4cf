"""Taking results out: formats, what makes a file, evidence, QR codes, and sticks that will not have them."""

from __future__ import annotations

import contextlib
import hashlib
import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import cv2
import numpy as np
import openpyxl
import pypdfium2
import pytest
from playwright.sync_api import expect

from runtime.evidence import __main__ as evidence
from runtime.kiosk import catalogue
from tests.browser.conftest import Watched
from tests.browser.station import Station, short
from tests.browser.test_queue import pdf

FIRST_WORDS = "The records office"


@pytest.fixture
def review(kiosk: Watched, station: Station) -> Watched:
    """A contract of two pages and a photo, read."""
    station.plug_in("STICK", {"合同.pdf": pdf(2), "photo.png": short()})
    kiosk.page.wait_for_selector("#files li:nth-child(2) img")
    kiosk.press("a", "Enter")
    kiosk.shows("review", timeout_s=120)
    kiosk.page.wait_for_selector("#lines li")
    return kiosk


def folder(station: Station, stick: str = "STICK") -> Path:
    return station.sticks / stick / "Inkstick"


def names(station: Station) -> list[str]:
    return sorted(each.name for each in folder(station).iterdir())


def open_dialog(kiosk: Watched) -> None:
    kiosk.press("o")
    kiosk.page.wait_for_selector("#ask-exports[open]")


def choose(kiosk: Watched, *keys: str) -> None:
    """Open the dialog, leave no format chosen, and press these keys."""
    open_dialog(kiosk)
    for number, tile in enumerate(kiosk.page.locator("#exports-formats button").all(), 1):
        if tile.get_attribute("aria-pressed") == "true":
            kiosk.press(str(number))
    kiosk.press(*keys)


def save(kiosk: Watched) -> None:
    kiosk.press("Enter")
    kiosk.shows("saved", timeout_s=120)
    kiosk.sees("可以安全拔出 U 盘")


def test_formats_are_chosen_by_keys_and_remembered(review: Watched, station: Station) -> None:
    open_dialog(review)
    tiles = review.page.locator("#exports-formats button")
    expect(tiles).to_have_count(7)
    pressed = review.page.locator('#exports-formats [aria-pressed="true"]')
    expect(pressed.locator("b")).to_have_text(["TXT", "JSON"])
    review.press("1", "2")
    expect(pressed).to_have_count(0)
    expect(review.page.locator("#exports-none")).to_be_visible()
    expect(review.page.locator('[data-do="save-chosen"]')).to_be_disabled()
    review.press("5", "7")
    expect(pressed).to_have_count(2)
    expect(review.page.locator("#open-print")).to_be_hidden()  # this profile does not print
    review.picture("exports")
    save(review)
    assert names(station) == ["photo.pdf", "photo.xlsx", "合同-1.pdf", "合同-1.xlsx", "合同-2.pdf", "合同-2.xlsx"]
    words = pypdfium2.PdfDocument(folder(station) / "合同-2.pdf")[0].get_textpage().get_text_range()
    assert FIRST_WORDS in words
    sheet = openpyxl.load_workbook(folder(station) / "photo.xlsx").worksheets[0]
    assert any(FIRST_WORDS in str(cell.value) for row in sheet.iter_rows() for cell in row)
    review.press("Escape")
    review.shows("review")
    open_dialog(review)
    expect(pressed).to_have_count(2)
    expect(tiles.nth(6)).to_have_attribute("aria-pressed", "true")


def test_one_file_a_document_or_a_batch_and_nothing_is_overwritten(review: Watched, station: Station) -> None:
    choose(review, "1", "d")
    save(review)
    assert names(station) == ["photo.txt", "合同.txt"]
    assert (folder(station) / "合同.txt").read_text(encoding="utf-8").count(FIRST_WORDS) == 2
    before = {each.name: hashlib.sha256(each.read_bytes()).digest() for each in folder(station).iterdir()}
    review.press("Escape")
    review.shows("review")
    choose(review, "1", "d")
    save(review)
    assert names(station) == ["photo-2.txt", "photo.txt", "合同-2.txt", "合同.txt"]
    review.press("Escape")
    review.shows("review")
    choose(review, "1", "b")
    save(review)
    (whole,) = set(names(station)) - {"photo-2.txt", "photo.txt", "合同-2.txt", "合同.txt"}
    assert (folder(station) / whole).read_text(encoding="utf-8").count(FIRST_WORDS) == 3
    assert before == {name: hashlib.sha256((folder(station) / name).read_bytes()).digest() for name in before}


def test_the_evidence_names_the_person_and_finds_a_changed_byte(
    review: Watched, station: Station, capsys: pytest.CaptureFixture[str]
) -> None:
    choose(review, "1", "e")
    expect(review.page.locator("#exports-who")).to_be_enabled()
    review.page.locator("#exports-who").fill("王芳")
    review.picture("exports-evidence")
    save(review)
    review.sees("evidence.jsonl")
    expect(review.page.locator("#saved-closing")).to_be_visible()
    review.picture("saved-with-evidence")
    told = folder(station) / "evidence.jsonl"
    assert "王芳" in told.read_text(encoding="utf-8")
    assert evidence.main(["verify", str(told)]) == 0
    saved = folder(station) / "photo.txt"
    saved.write_bytes(saved.read_bytes().replace(b"T", b"I", 1))
    assert evidence.main(["verify", str(told)]) != 0
    assert "photo.txt" in "".join(capsys.readouterr())


def decoded(kiosk: Watched) -> str:
    """What a reader held before the screen reads."""
    shot = kiosk.page.locator("#qr-code").screenshot()
    image = cv2.imdecode(np.frombuffer(shot, np.uint8), cv2.IMREAD_COLOR)
    assert image is not None
    text, _, _ = cv2.QRCodeDetector().detectAndDecode(image)
    return str(text)


def test_a_short_text_is_taken_out_as_a_qr_code(review: Watched) -> None:
    review.press("PageDown")
    review.sees("2 / 3")
    line = review.page.locator("#lines li.at").inner_text()
    open_dialog(review)
    review.press("q")
    review.page.wait_for_selector("#qr[open]")
    assert FIRST_WORDS in decoded(review) and decoded(review) in line
    review.press("q")
    review.page.wait_for_function("() => document.getElementById('qr-whole').hidden")
    review.picture("qr")
    whole = review.page.locator("#qr-text").inner_text()
    assert decoded(review) == whole and whole.count("\n") >= 1
    review.press("Enter", "Enter", "Control+a")
    review.page.keyboard.insert_text("墨" * 2000)
    review.press("Enter")
    open_dialog(review)
    review.press("q")
    review.page.wait_for_selector("#qr[open]")
    review.press("q")
    review.page.wait_for_selector("#tell[open]")
    review.sees("文字太长")
    review.picture("qr-too-long")
    assert [each for each in review.complaints if "status of 413" not in each] == []
    review.complaints.clear()  # the browser notes every refusal


@contextmanager
def full_stick(station: Station) -> Iterator[str]:
    """A small file system of its own. To mount it wants root, as all tests of an image do."""
    place = station.plug_in("FULL", {})
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=60k", "tmpfs", str(place)], check=True)
    try:
        yield "stick-full"
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=True)


@contextmanager
def protected_stick(station: Station) -> Iterator[str]:
    made = station.drawer / "LOCKED"
    made.mkdir()
    made.chmod(0o555)
    station.put_back("LOCKED")
    yield "stick-read-only"


@pytest.mark.parametrize("stick", [full_stick, protected_stick])
def test_a_stick_that_takes_nothing_is_told_of_and_another_one_does(
    review: Watched, station: Station, stick: Callable[[Station], AbstractContextManager[str]]
) -> None:
    with stick(station) as code:
        review.knows_of(station, 2)
        review.press("s")
        review.page.wait_for_selector("#ask-stick[open]")
        review.picture("which-stick")
        other = next(each.name for each in station.sticks.iterdir() if each.name != "STICK")
        review.page.locator("#which-stick button", has_text=other).click()
        review.page.wait_for_selector("#save-failed:not([hidden])")
        expect(review.page.locator("#save-reason")).to_have_text(catalogue.messages("zh")[f"problem.{code}"])
        review.picture(f"save-failed-{code}")
        assert list((station.sticks / other).iterdir()) == []
        review.press("s")
        review.page.wait_for_selector("#ask-stick[open]")
        review.page.locator("#which-stick button", has_text="STICK").click()
        review.shows("saved")
        assert len(names(station)) == 6


def helper(station: Station) -> int:
    """The process that has to do with sticks."""
    for each in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            parent = int((each / "stat").read_text().rpartition(")")[2].split()[1])
            if parent == station.process.pid and b"runtime.media\0" in (each / "cmdline").read_bytes():
                return int(each.name)
    raise AssertionError("no helper is running")


def test_a_stick_pulled_out_during_a_save_loses_nothing(review: Watched, station: Station) -> None:
    review.press("Enter", "Control+a")
    review.page.keyboard.type("corrected by hand")
    review.press("Enter")
    review.sees("已修改")
    pid = helper(station)
    os.kill(pid, signal.SIGSTOP)
    try:
        review.press("s")
        review.page.wait_for_selector("#saving:not([hidden])")
        station.pull("STICK")
        review.picture("saving")
    finally:
        os.kill(pid, signal.SIGCONT)
    review.page.wait_for_selector("#save-failed:not([hidden])")
    expect(review.page.locator("#save-reason")).to_have_text("U 盘已被拔出")
    review.press("Enter")
    review.shows("review")
    review.sees("corrected by hand")
    review.knows_of(station, 0)
    review.press("s")
    review.page.wait_for_selector("#tell[open]")
    review.press("Enter")
    station.put_back("STICK")
    review.knows_of(station, 1)
    review.press("s")
    review.shows("saved")
    text = (folder(station) / "合同-1.txt").read_text(encoding="utf-8")
    assert "corrected by hand" in text + (folder(station) / "photo.txt").read_text(encoding="utf-8")
