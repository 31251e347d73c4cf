"""The printer service with Debian's CUPS and an IPP Everywhere printer, through to what comes out of it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pypdfium2
import pytest

from runtime.outputs.paper import Text, on_paper
from runtime.printer.client import PrinterClient
from runtime.printer.failures import PRINT_CANCELLED, PRINT_FAILED, PRINTING_DOWN
from runtime.printer.printers import Standing
from runtime.problems import Problem
from tests.integration.ipp_printer import IppPrinter, ipp_printer, printer_service
from tests.integration.station import free_port

WORDS = "档案室 The records office, 2026"


@pytest.fixture(scope="module")
def printer() -> Iterator[IppPrinter]:
    with ipp_printer(free_port()) as made:
        yield made


@pytest.fixture(scope="module")
def client(printer: IppPrinter, tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrinterClient]:
    with service_for(printer, tmp_path_factory.mktemp("service")) as made:
        yield made


@contextmanager
def service_for(printer: IppPrinter, room: Path) -> Iterator[PrinterClient]:
    (room / "station.json").write_text(json.dumps({"printer_socket": str(room / "printer.sock")}))
    with printer_service(printer, room / "station.json"):
        yield PrinterClient(room / "printer.sock")


def sheets(*texts: str) -> bytes:
    return on_paper([Text(f"page {number}", text) for number, text in enumerate(texts, 1)])


def print_on(client: PrinterClient, port: int, pdf: bytes, told: Callable[[Standing], None] = lambda _: None) -> None:
    asyncio.run(client.print(port, pdf, 1, told))


def words_of(printed: Path) -> str:
    document = pypdfium2.PdfDocument(printed.read_bytes())
    return "".join(page.get_textpage().get_text_range() for page in document)


def test_a_printer_without_a_driver_is_found_and_prints(printer: IppPrinter, client: PrinterClient) -> None:
    (found,) = asyncio.run(client.printers())
    assert (found.id, found.name, found.halt) == (printer.port, "Inkstick Trial 2000", None)
    before = len(printer.printed)
    print_on(client, found.id, sheets(WORDS, "second"))
    *_, out = printer.wait_for(before + 1)
    assert WORDS in words_of(out) and "second" in words_of(out)
    assert len(pypdfium2.PdfDocument(out.read_bytes())) == 2


@pytest.mark.parametrize(("reason", "halt"), [("media-empty", "paper"), ("paused", "stopped"), ("media-jam", "jam")])
def test_what_a_printer_waits_for_is_said_and_then_it_goes_on(
    printer: IppPrinter, client: PrinterClient, reason: str, halt: str
) -> None:
    before = len(printer.printed)
    printer.halt(reason)
    seen: list[str | None] = []

    def told(standing: Standing) -> None:
        seen.append(standing.halt)
        if standing.halt == halt:
            printer.halt("")

    print_on(client, printer.port, sheets(WORDS), told)
    assert halt in seen
    printer.wait_for(before + 1)


def test_a_job_that_nobody_waits_for_any_more_is_cancelled(printer: IppPrinter, client: PrinterClient) -> None:
    before = len(printer.printed)
    printer.halt("media-empty")

    async def leave() -> None:
        waits = asyncio.Event()
        job = asyncio.create_task(
            client.print(printer.port, sheets(WORDS), 1, lambda standing: waits.set() if standing.halt else None)
        )
        await asyncio.wait_for(waits.wait(), 120)
        job.cancel()
        await asyncio.wait([job])

    asyncio.run(leave())
    printer.halt("")
    print_on(client, printer.port, sheets("the next one"))
    texts = [words_of(each) for each in printer.wait_for(before + 1)[before:]]
    assert any("the next one" in text for text in texts)


def test_so_many_copies_as_were_asked_for(printer: IppPrinter, client: PrinterClient) -> None:
    before = len(printer.printed)
    asyncio.run(client.print(printer.port, sheets(WORDS), 3, lambda _: None))
    assert printer.wait_for(before + 1)[-1].name.endswith("x3")


def test_a_job_that_is_cancelled_at_the_printer_is_said_to_be(printer: IppPrinter, client: PrinterClient) -> None:
    before = len(printer.printed)
    printer.halt("media-empty")
    pressed = False

    def told(standing: Standing) -> None:
        nonlocal pressed
        if standing.halt == "paper" and not pressed:
            pressed = True
            printer.cancel()
            printer.halt("")

    with pytest.raises(Problem) as caught:
        print_on(client, printer.port, sheets(WORDS), told)
    assert caught.value.kind is PRINT_CANCELLED
    print_on(client, printer.port, sheets("the next one"))
    assert "the next one" in words_of(printer.wait_for(before + 1)[-1])


def test_a_printer_that_gives_up_is_said_to(printer: IppPrinter, client: PrinterClient) -> None:
    printer.gives_up(True)
    try:
        with pytest.raises(Problem) as caught:
            print_on(client, printer.port, sheets(WORDS))
    finally:
        printer.gives_up(False)
    assert caught.value.kind is PRINT_FAILED
    before = len(printer.printed)
    print_on(client, printer.port, sheets("the next one"))
    assert "the next one" in words_of(printer.wait_for(before + 1)[-1])


def test_who_asks_where_no_service_is_is_told(tmp_path: Path) -> None:
    with pytest.raises(Problem) as caught:
        asyncio.run(PrinterClient(tmp_path / "none.sock").printers())
    assert caught.value.kind is PRINTING_DOWN


def test_a_printer_that_knows_raster_alone_gets_raster(tmp_path: Path) -> None:
    """As most do that were made for telephones: CUPS turns the PDF into pixels."""
    kinds = "image/pwg-raster,image/urf,image/jpeg"
    with ipp_printer(free_port(), kinds) as plain, service_for(plain, tmp_path) as client:
        print_on(client, plain.port, sheets(WORDS))
        (out,) = plain.wait_for(1)
        assert out.read_bytes()[:4] in (b"UNIR", b"RaS2")  # URF, PWG raster
