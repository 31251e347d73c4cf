"""Bringing pages in and having them read: from the chosen stick's list, or from memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from runtime.gateway.recognition import Want
from runtime.kiosk.documents import Document, Origin
from runtime.kiosk.held import Held, size_bytes
from runtime.kiosk.pages import Page, Status
from runtime.kiosk.reading import MOST_PAGES, Reading
from runtime.media.failures import GONE
from runtime.problems import BAD_REQUEST, QUEUE_FULL, STICK_GONE, Problem, ProblemKind

if TYPE_CHECKING:
    from runtime.kiosk.session import Look, Session

BUSY = ProblemKind("session-busy", 409, "The station is doing something else", "本机正在执行其他操作")


class Intake:
    """Works on the session's `reading`, which it makes when the first page comes. Raises Problem."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def read(self, revision: int, numbers: Sequence[int], ranges: Mapping[int, str]) -> None:
        """Read these files of the listing, after those that are being read. `ranges`: of a file's pages,
        as runtime.documents.selection takes them; all where there is none."""
        shelf = self._session.shelf
        stick = shelf.find(shelf.chosen)
        if stick is None:
            raise Problem(STICK_GONE, GONE)
        if not numbers:
            raise Problem(BAD_REQUEST, "Choose at least one image.")
        documents = []
        for number in dict.fromkeys(numbers):
            file = shelf.file(revision, number)
            document = Document(file.name, "stick", file.path, stick.id, stick.uuid, wanted=ranges.get(number, ""))
            document.password = self._session.peeked.password(revision, number)
            documents.append(document)
        self.take(documents)
        self._look("queue")

    def add(self, name: str, data: Held, origin: Origin, want: Want | None = None) -> Document:
        """Read a file that the station holds, of any kind the service takes, after those being read."""
        limit = self._session.config.limits.queue_bytes
        if self._held_bytes() + size_bytes(data) > limit:
            raise Problem(QUEUE_FULL, f"At most {limit} bytes are held at once. Save first.", extra={"limit": limit})
        document = Document(name, origin, data=data)
        self.take([document], want)
        return document

    def take(self, documents: Sequence[Document], want: Want | None = None, *, in_background: bool = False) -> None:
        """Read these too; without `want`, for what is chosen now. `in_background`: the screen stays."""
        session = self._session
        wanted = want or session.choice.want
        if session.saving is not None:
            raise Problem(BUSY)
        held = 0 if session.reading is None else len(session.reading.pages)
        if held + len(documents) > MOST_PAGES:
            raise Problem(QUEUE_FULL, f"At most {MOST_PAGES} pages at once.", extra={"limit": MOST_PAGES})
        session.recognition.check(wanted)
        session.note(None)
        if session.reading is None:
            session.reading = self.new_reading()
            session.looks_at = "list" if in_background else "queue"
        elif in_background and session.screen == "review":
            session.looks_at = "review"  # else the queue would come up, and take the clerk from her correction
        session.reading.add(documents, wanted)

    async def take_up(self, pages: Sequence[Page]) -> Reading:
        """Look at pages that were read before, in the place of those that are here. Raises Problem BUSY."""
        reading = self.new_reading()
        await reading.take_up(pages)
        session = self._session
        if session.saving is not None or (session.reading is not None and session.reading.running):
            raise Problem(BUSY)
        session.reading = reading
        self._look("review")
        return reading

    def new_reading(self) -> Reading:
        session = self._session
        limit = session.config.limits.pictures_bytes
        return Reading(session.reader, session.recognition, self._fetch, session.reading_changed, limit)

    def _held_bytes(self) -> int:
        pages = () if self._session.reading is None else self._session.reading.pages
        return sum({id(page.document): size_bytes(page.document.data or b"") for page in pages}.values())

    async def _fetch(self, document: Document) -> bytes:
        shelf = self._session.shelf
        await shelf.heard()
        stick = shelf.same(document.stick_id, document.stick_uuid)
        if stick is None:
            raise Problem(STICK_GONE, GONE)
        return await shelf.content(stick.id, document.path, self._session.config.limits.upload_bytes)

    async def bytes_of(self, page: Page) -> bytes:
        """The file that the page is in; the one being read is at hand. Raises Problem."""
        return await self._reading().look_at(page.document)

    def look(self, at: Look) -> None:
        """Look at the queue, at the results so far, or at the files to add more."""
        if self._session.reading is None:
            raise Problem(BUSY)
        self._look(at)

    def _look(self, at: Look) -> None:
        self._session.looks_at = at
        self._session.changed()

    async def stop(self) -> None:
        """Give up what is being read and what waits."""
        if self._session.reading is not None:
            await self._session.reading.stop()

    def again(self, numbers: Sequence[int]) -> None:
        """For pages that failed or were taken out, once the reason is gone."""
        reading = self._reading()
        pages = [self._session.page(number) for number in numbers]
        wanted = [page for page in pages if page.status in (Status.FAILED, Status.STOPPED)]
        if not wanted:
            raise Problem(BAD_REQUEST, "These pages have been read.")
        self._session.note(None)
        reading.again(wanted)
        self._look("queue")

    def unlock(self, number: int, password: str) -> None:
        """Open the page's document with this password."""
        reading, page = self._reading(), self._session.page(number)
        if page.status is not Status.FAILED:
            raise Problem(BAD_REQUEST, "This page needs no password.")
        reading.unlock(page, password)
        self._look("queue")

    async def cancel(self, number: int) -> None:
        await self._reading().cancel(self._session.page(number))

    def pause(self, paused: bool) -> None:
        reading = self._reading()
        if paused:
            reading.pause()
        else:
            reading.resume()

    def _reading(self) -> Reading:
        if self._session.reading is None or self._session.saving is not None:
            raise Problem(BUSY)
        return self._session.reading
