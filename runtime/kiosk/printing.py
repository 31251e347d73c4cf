"""Printing what was read: which printers there are, and one job at a time: how far it is, what became of it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import pypdfium2

from runtime.kiosk.composing import Pictures, compose
from runtime.kiosk.exports import Choice, Per
from runtime.kiosk.pages import Page
from runtime.kiosk.parts import Part
from runtime.kiosk.reading import Reading
from runtime.kiosk.saving import export_room
from runtime.kiosk.session import NOTHING_TO_SAVE, Session
from runtime.outputs.formats import Format
from runtime.outputs.paper import Text, on_paper
from runtime.printer.client import PrinterClient
from runtime.printer.failures import NO_PRINTER, PRINTING_BUSY, Halt
from runtime.printer.printers import Printer, Standing
from runtime.problems import Problem

What = Literal["text", "pdf"]
"""The text, set anew; or each page's picture, as the searchable PDF has it."""
_PICTURES = Choice(formats=(Format.PDF,), per=Per.BATCH)


@dataclass
class Job:
    """`sheets` of `total` are printed; `total` is 0 while they are made. `halt`: what the printer waits for."""

    printer: str
    state: Literal["making", "printing", "done", "failed"] = "making"
    sheets: int = 0
    total: int = 0
    halt: Halt | None = None
    problem: Problem | None = None

    @property
    def running(self) -> bool:
        return self.state in ("making", "printing")

    def told(self) -> dict[str, Any]:
        return {**asdict(self), "problem": None if self.problem is None else self.problem.kind.code}


class Printing(Part):
    """Plugged in where the profile prints. All methods raise Problem.

    `printers`: None before they were looked for; while they are again, those that were found before stand.
    """

    name = "printing"

    def __init__(self, session: Session, client: PrinterClient) -> None:
        self._session = session
        self._client = client
        self.printers: tuple[Printer, ...] | None = None
        self.problem: Problem | None = None
        self.job: Job | None = None
        self._looking: asyncio.Task[None] | None = None
        self._work: asyncio.Task[None] | None = None

    def state(self) -> dict[str, Any]:
        return {
            "looking": self._looking is not None,
            "printers": None if self.printers is None else [asdict(printer) for printer in self.printers],
            "problem": None if self.problem is None else self.problem.kind.code,
            "job": None if self.job is None else self.job.told(),
        }

    def look(self) -> None:
        """Look which printers there are; takes a moment."""
        if self._looking is None:
            self._looking = asyncio.create_task(self._look())

    async def _look(self) -> None:
        self._session.changed()
        try:
            self.printers, self.problem = await self._client.printers(), None
        except Problem as problem:
            self.printers, self.problem = (), problem
        finally:
            self._looking = None
            self._session.changed()

    def print(self, what: What, number: int | None, printer_id: int, copies: int) -> None:
        """Page `number`, or every page that was read. Goes on by itself; see `job`."""
        if self.job is not None and self.job.running:
            raise Problem(PRINTING_BUSY)
        printer = next((each for each in self.printers or () if each.id == printer_id), None)
        if printer is None:
            raise Problem(NO_PRINTER)
        reading = self._session.reading
        pages = [] if reading is None else reading.read_pages
        if number is not None:
            page = self._session.page(number)
            pages = [page] if page in pages else []
        if reading is None or not pages:
            raise Problem(NOTHING_TO_SAVE)
        self.job = Job(printer.name)
        self._work = asyncio.create_task(self._print(self.job, what, reading, pages, printer, copies))
        self._session.changed()

    async def stop(self) -> None:
        """Cancel the job; the sheet that is being printed may still come."""
        if self._work is not None:
            self._work.cancel()
            await asyncio.wait([self._work])

    def close(self) -> None:
        """The person has seen what became of it."""
        if self.job is not None and not self.job.running:
            self.job = None
            self._session.changed()

    async def let_go(self) -> None:
        await self.stop()
        self.close()

    async def leave(self) -> None:
        await self.stop()

    async def follow(self) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await self.stop()

    async def _print(
        self, job: Job, what: What, reading: Reading, pages: Sequence[Page], printer: Printer, copies: int
    ) -> None:
        def on_progress(standing: Standing) -> None:
            job.sheets, job.halt = max(job.sheets, standing.sheets), standing.halt
            self._session.changed()

        try:
            made = await self._made(what, reading, pages)
            job.total = copies * await asyncio.to_thread(_sheets, made)
            job.state = "printing"
            self._session.changed()
            await self._client.print(printer.id, made, copies, on_progress)
            job.sheets, job.state = job.total, "done"
        except asyncio.CancelledError:
            self.job = None
            raise
        except Problem as problem:
            job.state, job.problem = "failed", problem
        finally:
            job.halt, self._work = None, None
            self._session.changed()

    async def _made(self, what: What, reading: Reading, pages: Sequence[Page]) -> bytes:
        if what == "text":
            texts = []
            for page in pages:
                place = f" · {page.place + 1} / {page.sheets}" if page.sheets > 1 else ""
                texts.append(Text(f"{page.name}{place}", page.text()))
                await asyncio.sleep(0)
            return await asyncio.to_thread(on_paper, texts)
        session = self._session
        with export_room() as room:
            _, made = await compose(
                pages,
                _PICTURES,
                room,
                Pictures(session.reader.cage, reading.content),
                batch_name="print",
                language=self._session.language,
                version=session.config.version,
                on_progress=lambda *_: None,
            )
            ((_, content),) = made.outputs[0].parts
            return content if isinstance(content, bytes) else await asyncio.to_thread(content.read_bytes)


def _sheets(pdf: bytes) -> int:
    with pypdfium2.PdfDocument(pdf) as document:
        return len(document)
