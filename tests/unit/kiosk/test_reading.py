"""The queue itself: what is written while a page is read, several at a time, pausing, taking out."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from runtime.documents.sheet import Sheet
from runtime.gateway.reader import DEFAULT_ASK
from runtime.gateway.recognition import Recognition, Want
from runtime.kiosk.documents import Document
from runtime.kiosk.pages import Page, Status
from runtime.kiosk.reading import Reading
from runtime.results import PageResult, Progress
from runtime.tasks.task import Ask
from tests.unit.kiosk.stub_reader import StubReader, page_result


class Writer(StubReader):
    """Writes as a language model does, and waits to be let on; begins anew once if `dies`."""

    def __init__(self, *, dies: bool = False) -> None:
        super().__init__()
        self.on = asyncio.Event()
        self.dies = dies
        self.at_work = 0
        self.most_at_work = 0

    async def read(
        self,
        source: bytes | Sheet,
        ask: Ask = DEFAULT_ASK,
        *,
        on_progress: Callable[[Progress], None] | None = None,
    ) -> PageResult:
        assert on_progress is not None
        self.at_work += 1
        self.most_at_work = max(self.at_work, self.most_at_work)
        try:
            on_progress(Progress(stage="recognise", done=1, text="half a"))
            if self.dies:
                on_progress(Progress(stage="restart"))
            for piece in ("| a ", "| b |"):
                on_progress(Progress(stage="recognise", done=2, text=piece))
            await self.on.wait()
            return page_result()
        finally:
            self.at_work -= 1


def reading_of(reader: StubReader) -> Reading:
    async def fetch(_: Document) -> bytes:
        return b"pixels"

    return Reading(reader, Recognition(reader), fetch, lambda: None)


def documents(count: int) -> list[Document]:
    return [Document(f"{number}.png", "upload", data=b"pixels") for number in range(count)]


class Stick:
    """Counts what is fetched from it."""

    def __init__(self) -> None:
        self.fetched: list[str] = []

    async def fetch(self, document: Document) -> bytes:
        self.fetched.append(document.name)
        await asyncio.sleep(0)
        return b"pixels"


async def until(fits: Callable[[], Any]) -> None:
    async with asyncio.timeout(20):
        while not fits():
            await asyncio.sleep(0.01)


def test_what_the_model_writes_is_told_as_it_comes_and_anew_after_a_restart() -> None:
    async def told() -> str:
        reader = Writer(dies=True)
        reading = reading_of(reader)
        reading.add(documents(1), Want())
        await until(lambda: reading.state()["work"] and reading.state()["work"][0]["text"].endswith("|"))
        text: str = reading.state()["current"]["text"]
        reader.on.set()
        await until(lambda: not reading.running)
        assert reading.state()["work"] == [] and reading.state()["read"] == 1
        return text

    assert asyncio.run(told()) == "| a | b |"


def test_as_many_pages_are_read_at_a_time_as_the_engine_takes() -> None:
    async def most() -> int:
        reader = Writer()
        reader.at_a_time = 3
        reading = reading_of(reader)
        reading.add(documents(8), Want())
        await until(lambda: reader.at_work == 3)
        reader.on.set()
        await until(lambda: not reading.running)
        assert [page.status for page in reading.pages] == [Status.READ] * 8
        return reader.most_at_work

    assert asyncio.run(most()) == 3


def test_a_paused_queue_begins_nothing_and_one_page_can_be_taken_out_and_put_back() -> None:
    async def go() -> None:
        reader = Writer()
        reading = reading_of(reader)
        reading.add(documents(3), Want())
        await until(lambda: reader.at_work == 1)
        reading.pause()
        await reading.cancel(reading.pages[0])
        await reading.cancel(reading.pages[2])
        await asyncio.sleep(0.05)
        assert [page.status for page in reading.pages] == [Status.STOPPED, Status.WAITING, Status.STOPPED]
        assert reading.running and reader.at_work == 0
        reader.on.set()
        reading.resume()
        await until(lambda: not reading.running)
        reading.again(reading.pages)
        await until(lambda: not reading.running)
        assert [page.status for page in reading.pages] == [Status.READ] * 3
        reading.add(documents(1), Want())
        assert reading.running
        await reading.stop()
        assert not reading.running

    asyncio.run(go())


def test_who_looks_at_other_pages_does_not_make_the_document_that_is_read_be_fetched_again() -> None:
    async def go() -> None:
        reader, stick = Writer(), Stick()
        reading = Reading(reader, Recognition(reader), stick.fetch, lambda: None)
        paper, *others = (Document(name, "stick", name, sheets=1) for name in ("contract.pdf", "1.png", "2.png"))
        for place in range(3):  # three pages of one document, as its opening makes them
            reading._append([Page(paper, place)])
        reading.add(others, Want())
        await until(lambda: reader.at_work == 1 and len(reading.pages) == 5)
        for _ in range(2):
            for document in (paper, *others):
                assert await reading.look_at(document) == b"pixels"
        reader.on.set()
        await until(lambda: reading.pages[2].status is Status.READ)
        assert stick.fetched.count("contract.pdf") == 1
        await until(lambda: not reading.running)
        assert stick.fetched.count("1.png") <= 3, "twice to be looked at, once to be read"

    asyncio.run(go())


def test_files_that_come_just_when_the_last_one_was_opened_are_read_too() -> None:
    async def go() -> None:
        reader = Writer()
        reader.on.set()
        reading = reading_of(reader)
        for document in documents(40):
            reading.add([document], Want())
            await asyncio.sleep(0)  # whatever the queue is at
            reading.add(documents(1), Want())
        await until(lambda: not reading.running)
        assert len(reading.read_pages) == 80

    asyncio.run(go())
