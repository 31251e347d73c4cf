"""Printing from the page: the real service, Debian's CUPS, and a printer whose sheets are read back."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pypdfium2
import pytest
from playwright.sync_api import expect

from tests.browser import station as stations
from tests.browser.conftest import Watched
from tests.browser.station import Station, free_port, short
from tests.integration.ipp_printer import IppPrinter, ipp_printer, printer_service

FIRST_WORDS = "The records office"
LONG_MS = 180_000


@pytest.fixture(scope="module")
def printer() -> Iterator[IppPrinter]:
    with ipp_printer(free_port()) as made:
        yield made


@pytest.fixture(scope="module")
def running_station(printer: IppPrinter, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Station]:
    """One whose profile prints, with the service that does it."""
    folder = tmp_path_factory.mktemp("printing-station")
    running = stations.start(folder, printer_socket=str(folder / "printer.sock"))
    with printer_service(printer, folder / "station.json"):
        yield running
        stations.stop(running)


@pytest.fixture
def review(kiosk: Watched, station: Station) -> Watched:
    """Two photos, read."""
    station.plug_in("STICK", {"a.png": short(), "b.png": short()})
    kiosk.page.wait_for_selector("#files li:nth-child(2) img", timeout=LONG_MS)
    kiosk.press("a", "Enter")
    kiosk.shows("review", timeout_s=180)
    kiosk.page.wait_for_selector("#lines li", timeout=LONG_MS)
    return kiosk


def open_dialog(kiosk: Watched) -> None:
    """As a person does, and until the printer has been found."""
    kiosk.press("o")
    kiosk.page.wait_for_selector("#ask-exports[open]", timeout=LONG_MS)
    kiosk.press("p")
    kiosk.page.wait_for_selector("#ask-print[open]", timeout=LONG_MS)
    expect(kiosk.page.locator("#print-printers button")).to_have_text(["Inkstick Trial 2000"], timeout=LONG_MS)
    expect(kiosk.page.locator('[data-do="print-start"]')).to_be_enabled(timeout=LONG_MS)


def pages_of(printed: Path) -> list[str]:
    document = pypdfium2.PdfDocument(printed.read_bytes())
    return [page.get_textpage().get_text_range() for page in document]


def close(kiosk: Watched) -> None:
    kiosk.press("Escape")
    expect(kiosk.page.locator("#print-now")).to_be_hidden(timeout=LONG_MS)
    expect(kiosk.page.locator("#ask-print")).to_be_hidden(timeout=LONG_MS)


def test_text_and_pictures_come_out_of_the_printer(review: Watched, printer: IppPrinter) -> None:
    before = len(printer.printed)
    open_dialog(review)
    review.picture("printing-zh")
    review.press("Enter")
    review.sees("打印完毕，共 1 张", timeout_s=180)
    review.picture("printed-zh")
    (page,) = pages_of(printer.wait_for(before + 1)[-1])
    assert FIRST_WORDS in page and "a.png" in page
    close(review)
    open_dialog(review)
    review.press("b", "+", "Enter")
    review.sees("打印完毕，共 4 张", timeout_s=180)
    texts = pages_of(printer.wait_for(before + 2)[-1])
    assert sum(FIRST_WORDS in text for text in texts) in (2, 4)  # copies are the printer's to make, or CUPS's
    close(review)
    open_dialog(review)
    review.press("g", "-", "p", "Enter")
    review.sees("打印完毕，共 1 张", timeout_s=180)
    document = pypdfium2.PdfDocument(printer.wait_for(before + 3)[-1].read_bytes())
    assert len(document) == 1 and len(list(document[0].get_objects())) > 0
    close(review)


@pytest.mark.parametrize("kiosk", [(1024, 768)], indirect=True)
def test_a_stopped_printer_says_so_and_goes_on_or_is_given_up(
    review: Watched, station: Station, printer: IppPrinter
) -> None:
    before = len(printer.printed)
    review.press("l")
    review.page.wait_for_selector('html[lang="en"]', timeout=LONG_MS)
    printer.halt("paused")
    open_dialog(review)
    review.press("Enter")
    review.sees("The printer is stopped", timeout_s=180)
    review.sees("Press its button to go on", timeout_s=180)
    review.picture("printer-stopped-en")
    review.press("Escape")
    expect(review.page.locator("#print-told")).to_have_text("The printer is stopped", timeout=LONG_MS)
    review.picture("printer-stopped-meanwhile")
    printer.halt("")
    expect(review.page.locator("#print-told")).to_have_text("Printed (sheets: 1)", timeout=LONG_MS)
    printer.wait_for(before + 1)
    review.press("j")
    review.page.wait_for_selector("#ask-print[open]", timeout=LONG_MS)
    close(review)
    printer.halt("media-empty")
    open_dialog(review)
    review.press("Enter")
    review.sees("The printer is out of paper", timeout_s=180)
    review.press("x")
    expect(review.page.locator("#print-choose")).to_be_visible(timeout=LONG_MS)
    printer.halt("")
    close(review)
    assert station.state()["printing"]["job"] is None  # type: ignore[index]


def test_a_printer_that_is_switched_off_is_told_of(review: Watched, printer: IppPrinter) -> None:
    with printer.switched_off():
        review.press("o")
        review.page.wait_for_selector("#ask-exports[open]", timeout=LONG_MS)
        review.press("p")
        review.sees("没有找到打印机", timeout_s=180)
        expect(review.page.locator('[data-do="print-start"]')).to_be_disabled(timeout=LONG_MS)
        review.picture("no-printer-zh")
    review.press("F5")
    expect(review.page.locator('[data-do="print-start"]')).to_be_enabled(timeout=LONG_MS)
    close(review)
