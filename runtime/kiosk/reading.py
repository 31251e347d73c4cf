"""Reading the pages that were brought in: as many at a time as the engine takes, telling how far each is.

A page's number is its place in `Reading.pages`, and never changes: pages are only ever added at the end,
and one that failed or was taken out keeps its place.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import time
from collections.abc import Callable, Container, Iterable, Sequence
from functools import partial
from typing import Any

from runtime.config import Limits
from runtime.documents.refusals import LOCKED_DOCUMENT
from runtime.documents.selection import chosen_pages
from runtime.documents.sheet import Sheet
from runtime.gateway.recognition import Recognition, Want
from runtime.kiosk.album import Album, Fetch
from runtime.kiosk.contracts import Reader
from runtime.kiosk.documents import Document, may_have_pages
from runtime.kiosk.edits import Edits
from runtime.kiosk.fetched import Fetched
from runtime.kiosk.held import content
from runtime.kiosk.pages import Page, Status
from runtime.kiosk.time_left import time_left_s
from runtime.kiosk.work import Work
from runtime.problems import DAMAGED_IMAGE, ENGINE_UNAVAILABLE, INTERNAL, QUEUE_FULL, Problem
from runtime.results import Progress
from runtime.revisions import first_revision

log = logging.getLogger(__name__)

_TRY_AGAIN_S = 2.0
MOST_PAGES = 5000
"""Of one batch: results and pictures are held in memory."""


class Reading:
    """Pages being read, and what became of them. Documents may be added at any time.

    `pages_revision` grows when a page is added or its status or text changes, `edits` when a person corrects.
    `pictures_bytes`: see Album.
    """

    def __init__(
        self,
        reader: Reader,
        recognition: Recognition,
        fetch: Fetch,
        changed: Callable[[], None],
        pictures_bytes: int = Limits().pictures_bytes,
    ) -> None:
        self.pages: list[Page] = []
        self.pages_revision = first_revision()
        self.edits = 0
        self.saved_edits: int | None = None
        self.paused = False
        self._reader = reader
        self._recognition = recognition
        self.album = Album(reader.cage, fetch, pictures_bytes)
        self._changed = changed
        self._held = Fetched(fetch)
        self._looked_at = Fetched(fetch)
        self._unopened: list[tuple[Document, Want]] = []
        self._opening: asyncio.Task[None] | None = None
        self._work: dict[str, Work] = {}
        self._batch: list[Page] = []
        self._seconds: list[float] = []
        self._started = time.monotonic()

    @property
    def running(self) -> bool:
        """Whether there is something left to do, be it paused."""
        waiting = any(page.status is Status.WAITING for page in self._batch)
        return bool(self._work or self._unopened or waiting) or self._opening is not None

    @property
    def read_pages(self) -> list[Page]:
        return [page for page in self.pages if page.status is Status.READ]

    @property
    def unsaved(self) -> bool:
        return bool(self.read_pages) and self.saved_edits != self.edits

    def add(self, documents: Iterable[Document], want: Want) -> None:
        """Read these too, in their order. What cannot be opened becomes a page that failed."""
        self._begin()
        self._open_also([(document, want) for document in documents])

    def _open_also(self, documents: Sequence[tuple[Document, Want]]) -> None:
        self._unopened += documents
        if self._opening is None and self._unopened:
            self._opening = asyncio.create_task(self._open_all())
            self._opening.add_done_callback(self._opened)
        self._pages_changed()

    @property
    def unopened(self) -> Sequence[tuple[Document, Want]]:
        """Documents whose pages are not known yet, with what they are to be read for."""
        return tuple(self._unopened)

    def take_over(
        self,
        pages: Sequence[Page],
        unopened: Sequence[tuple[Document, Want]],
        reduced: Container[str],
        *,
        edits: int,
        saved_edits: int | None,
        paused: bool,
    ) -> None:
        """Go on where an earlier process was stopped. `reduced`: ids of pages whose pictures are no longer sharp."""
        self.pages += pages
        self.edits, self.saved_edits, self.paused = edits, saved_edits, paused
        self.album.resume(pages, reduced)
        if any(page.status is Status.WAITING for page in pages):
            self._batch = list(pages)
        self._pump()
        if unopened:
            self._open_also(unopened)

    async def take_up(self, pages: Sequence[Page]) -> None:
        """Pages that were read before, with nothing left to do or to save."""
        await self.album.take_up(pages)
        self.pages += pages
        self.saved_edits = self.edits
        self._pages_changed()

    def again(self, pages: Sequence[Page]) -> None:
        """Read pages that failed or were stopped, once the reason is gone."""
        self._begin()
        for page in pages:
            if page.status in (Status.FAILED, Status.STOPPED):
                page.status, page.problem = Status.WAITING, None
                self._batch = [*(each for each in self._batch if each is not page), page]
        self._pump()

    def unlock(self, page: Page, password: str) -> None:
        """Try a page's document again with this password."""
        page.document.password = password
        locked = [each for each in self.pages if each.document is page.document and _is_locked(each)]
        self.again(locked)

    def pause(self) -> None:
        """Begin no other page; those in hand are read to their end."""
        self.paused = True
        self._changed()

    def resume(self) -> None:
        self.paused = False
        self._pump()

    async def cancel(self, page: Page) -> None:
        """Take one page out: it keeps its place, and can be read again."""
        work = self._work.get(page.id)
        if work is not None:
            work.task.cancel()
            await asyncio.wait([work.task])
        elif page.status is Status.WAITING:
            page.status = Status.STOPPED
            self._pump()

    async def stop(self) -> None:
        """Give up the pages at work and those that wait; what is read stays."""
        tasks = [work.task for work in self._work.values()]
        if self._opening is not None:
            tasks.append(self._opening)
        for page in self._batch:
            if page.status is Status.WAITING:
                page.status = Status.STOPPED
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)
        self._unopened.clear()
        self.paused = False
        self._pages_changed()

    def _begin(self) -> None:
        """From rest, time and counts begin anew."""
        if not self.running:
            self._batch, self._seconds, self._started = [], [], time.monotonic()

    async def _open_all(self) -> None:
        while self._unopened:
            pages = await self._open(*self._unopened[0])
            self._unopened.pop(0)  # before its pages are told of: never is there a document and its pages as well
            self._append(pages)
            await asyncio.sleep(0)

    def _opened(self, opening: asyncio.Task[None]) -> None:
        self._opening = None
        if self._unopened and not opening.cancelled():  # they came while it was ending
            self._open_also([])
        self._pump()

    async def _open(self, document: Document, want: Want) -> list[Page]:
        if document.seems_single:
            return [Page(document, 0, want)]
        try:
            return await self._pages_of(document, await self.content(document), want)
        except Problem as problem:
            return [Page(document, 0, want, status=Status.FAILED, problem=problem)]

    async def _pages_of(self, document: Document, data: bytes, want: Want) -> list[Page]:
        """Raises Problem, the documents' kinds and QUEUE_FULL."""
        described = await self._recognition.cage.describe(data, document.password)
        places = chosen_pages(document.wanted, len(described.pages))
        if len(self.pages) + len(places) > MOST_PAGES:
            raise Problem(QUEUE_FULL, f"At most {MOST_PAGES} pages at once.")
        document.opened(described)
        return [Page(document, place, want, described.pages[place].source) for place in places]

    def _append(self, pages: Sequence[Page]) -> None:
        self.pages += pages
        self._batch += pages
        self._pump()

    def _pump(self) -> None:
        """Begin as many waiting pages as the engine takes."""
        if not self.paused:
            waiting = (page for page in self._batch if page.status is Status.WAITING)
            for _ in range(len(self._work), max(1, self._reader.at_a_time)):
                page = next(waiting, None)
                if page is None:
                    break
                page.status = Status.READING
                task = asyncio.create_task(self._do(page))
                self._work[page.id] = Work(page, task)
                task.add_done_callback(partial(self._done, page))
        self._pages_changed()

    async def _do(self, page: Page) -> None:
        started = time.monotonic()
        try:
            await self._read(page)
            page.status = Status.READ
            self._seconds.append(time.monotonic() - started)
            self.edits += 1
        except Problem as problem:
            page.status, page.problem = Status.FAILED, problem
        except Exception:
            log.exception("a page could not be read")
            page.status, page.problem = Status.FAILED, Problem(INTERNAL)

    def _done(self, page: Page, _: asyncio.Task[None]) -> None:
        self._work.pop(page.id, None)
        if page.status is Status.READING:  # it was cancelled, perhaps before its first step
            page.status = Status.STOPPED
        self._pump()

    async def _read(self, page: Page) -> None:
        data = await self.content(page.document)
        if not page.document.sheets:
            await self._count(page, data)
        page.source_bytes = len(data)
        page.source_sha256 = (await asyncio.to_thread(hashlib.sha256, data)).hexdigest()
        while True:
            sheet = Sheet(data, page.place, password=page.document.password)
            try:
                page.recognised = await self._recognition.read(
                    sheet, page.want, on_progress=lambda progress: self._on_progress(page, progress)
                )
                break
            except Problem as problem:
                if not self._will_pass(problem):
                    await self._keep_picture(page, data, 0)
                    raise
            self._on_progress(page, Progress(stage="queued"))
            await asyncio.sleep(_TRY_AGAIN_S)
        page.edits = Edits()
        await self._keep_picture(page, data, page.recognised.page.rotation)

    async def _count(self, page: Page, data: bytes) -> None:
        """Of a document that was taken for one page, or that was locked: its other pages come at the end."""
        if not may_have_pages(data):
            page.document.sheets = 1
            return
        first, *others = await self._pages_of(page.document, data, page.want)
        page.place, page.member = first.place, first.member
        if others:
            self._append(others)

    async def content(self, document: Document) -> bytes:
        """The last one fetched is kept: the pages of a document come one after the other."""
        if document.data is not None:
            return content(document.data)
        return await self._held.content(document)

    async def look_at(self, document: Document) -> bytes:
        """As `content`, for who only looks: the document that is being read stays at hand."""
        if document.data is not None or self._held.has(document):
            return await self.content(document)
        return await self._looked_at.content(document)

    def _will_pass(self, problem: Problem) -> bool:
        """Other programs' pages are ahead, or the engine is still loading for the first time.

        Later, an engine that is unavailable has stayed away for minutes, and that is told.
        """
        loading = problem.kind is ENGINE_UNAVAILABLE and self._reader.state == "starting"
        return loading or problem.kind is QUEUE_FULL

    async def _keep_picture(self, page: Page, data: bytes, rotation: int) -> None:
        """Kept in memory, so that a page can be looked at and corrected after its stick is gone."""
        try:
            picture = await self._reader.cage.picture(data, "preview", rotation, page.place, page.document.password)
            await self.album.put(page, picture)
        except Problem as problem:
            if problem.kind is not DAMAGED_IMAGE:
                log.info("no picture: %s", str(problem))  # the exception itself would keep the page with the record

    def edited(self) -> None:
        """A person changed something on a page."""
        self.edits += 1
        self._changed()

    def _on_progress(self, page: Page, progress: Progress) -> None:
        work = self._work.get(page.id)
        if work is not None:
            work.tell(progress)
            self._changed()

    def _pages_changed(self) -> None:
        self.pages_revision += 1
        if not self.running:
            self._held.forget()
            self._looked_at.forget()
        self._changed()

    def state(self) -> dict[str, Any]:
        """For the browser: counts, and what is being done to which pages for how long."""
        now = time.monotonic()
        numbers = {page.id: number for number, page in enumerate(self.pages)} if self._work else {}
        work = [each.state(numbers[each.page.id], now) for each in self._work.values()]
        opening = self._unopened[0][0].name if self._unopened else None
        return {
            "revision": self.pages_revision,
            "total": len(self.pages),
            "batch": len(self._batch) + len(self._unopened),
            "finished": sum(page.status not in (Status.WAITING, Status.READING) for page in self._batch),
            "read": len(self.read_pages),
            "failed": sum(page.status is Status.FAILED for page in self.pages),
            "running": self.running,
            "paused": self.paused,
            "opening": opening,
            "elapsed_s": now - self._started,
            "left_s": self._left_s(now),
            "work": work,
            "current": work[0] if work else None,
            "unsaved": self.unsaved,
        }

    def _left_s(self, now: float) -> float | None:
        """None while no page of this batch has been read."""
        waiting = sum(page.status is Status.WAITING for page in self._batch) + len(self._unopened)
        in_hand = [now - work.started for work in self._work.values()]
        return time_left_s(self._seconds, waiting, in_hand, self._reader.at_a_time)


def _is_locked(page: Page) -> bool:
    return page.problem is not None and page.problem.kind is LOCKED_DOCUMENT
