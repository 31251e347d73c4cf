"""What is going on at this station: the one truth that every browser page draws.

There is one person in front of one screen, so there is one session. The screen follows from the
facts: a save in hand, else what a part asks for, else pages being read, else pages read, else what is
wrong with the machine and was not acknowledged, else a stick, else nothing.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, Literal

from runtime.config import StationConfig
from runtime.gateway.recognition import Recognition, Want
from runtime.kiosk.choice import Choice
from runtime.kiosk.contracts import OnSaved, Reader, Reviewed
from runtime.kiosk.documents import Document, Origin
from runtime.kiosk.held import Held
from runtime.kiosk.intake import BUSY, Intake
from runtime.kiosk.pages import Page
from runtime.kiosk.parts import Part
from runtime.kiosk.peek import Peek
from runtime.kiosk.reading import Reading
from runtime.kiosk.resuming import outlive
from runtime.kiosk.saving import Exports, Saving
from runtime.kiosk.sticks import StickShelf
from runtime.kiosk.troubles import Troubles
from runtime.kiosk.watch import Watch
from runtime.media.client import MediaClient
from runtime.media.failures import NOT_AVAILABLE
from runtime.media.wire import Stick
from runtime.problems import NOT_FOUND, STICK_GONE, Problem, ProblemKind

Look = Literal["queue", "review", "list"]
"""What the person looks at while pages are there."""

NOTHING_TO_SAVE = ProblemKind("nothing-to-save", 409, "No page has been read", "还没有识别出的页面")
_LOOK_AT_ENGINE_S = 1.0


class Session:
    """Every public method raises Problem when it cannot be done. `next_change` is set, once, by the
    next change; after it there is a new one.
    """

    def __init__(
        self, config: StationConfig, reader: Reader, media: MediaClient | None, on_saved: OnSaved | None = None
    ) -> None:
        self.config = config
        self.language = config.language
        self.shelf = StickShelf(media, self.changed, self._stick_pulled)
        self.reading: Reading | None = None
        self.saving: Saving | None = None
        self.reader = reader
        self.recognition = Recognition(reader, config.forms)
        self.choice = Choice(reader, self.recognition, self.changed)
        self.parts: list[Part] = []
        self.looks_at: Look = "queue"
        self.intake = Intake(self)
        self.watch = Watch(self)
        self.plug(self.watch)
        self.peeked = Peek(self)
        self._on_saved = on_saved
        self.exports = Exports(config, reader.cage, self.changed)
        self.plug(self.exports)
        self._engine_state = reader.state
        self._engine_since = time.monotonic()
        self.troubles = Troubles(reader.hardware)
        self._notice: str | None = None
        self._notice_count = 0
        self.outlives: Callable[[], None] = lambda: None
        """Called at every change: see outliving.py."""
        self._off = False
        self.next_change = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        """Take up what an earlier process left; follow the sticks and the engine for as long as the page is served."""
        outliving = outlive(self, self.config)
        follow = [self.shelf.follow(), self._follow_engine(), *(part.follow() for part in self.parts)]
        tasks = [asyncio.create_task(each) for each in follow]
        try:
            yield
        finally:
            self.outlives = lambda: None  # what waits now is for the next process
            if self.reading is not None:
                await self.reading.stop()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, *self._tasks, return_exceptions=True)
            if outliving is not None:
                outliving.close()

    def changed(self) -> None:
        self.outlives()
        self.next_change.set()
        self.next_change = asyncio.Event()

    async def _follow_engine(self) -> None:
        while True:
            await asyncio.sleep(_LOOK_AT_ENGINE_S)
            if self.reader.state != self._engine_state:
                self._engine_state, self._engine_since = self.reader.state, time.monotonic()
                self.changed()
            if self.troubles.look():
                self.changed()
            self.choice.look()

    def plug(self, part: Part) -> None:
        """Let a part of the station tell its state to the page, and ask for screens. Before `open`."""
        self.parts.append(part)

    @property
    def screen(self) -> str:
        """The section of the page that is shown."""
        if self._off:
            return "off"
        if self.saving is not None:
            return "saved" if self.saving.result else "saving"
        asked = next((screen for part in self.parts if (screen := part.screen())), None)
        if asked is not None:
            return asked
        if self.reading is not None and self.looks_at != "list":
            return "reading" if self.reading.running and self.looks_at == "queue" else "review"
        if self.troubles.open:
            return "trouble"
        return "list" if self.shelf.chosen else "insert"

    @property
    def expects_pages(self) -> bool:
        """Whether somebody seems about to have pages read."""
        return self.screen in ("list", "reading", "saving") or (self.reading is not None and self.reading.running)

    def state(self) -> dict[str, Any]:
        """Everything the browser draws, but for the long lists, which it fetches by revision."""
        return {
            "screen": self.screen,
            "language": self.language,
            "engine": {
                "state": self._engine_state,
                "since_s": time.monotonic() - self._engine_since,
                "name": self.reader.reading_engine,
            },
            "troubles": self.troubles.state(),
            **self.shelf.state(),
            "reading": None if self.reading is None else self.reading.state(),
            "saving": None if self.saving is None else self.saving.state(),
            "notice": self._notice,
            "notice_count": self._notice_count,
            "choice": self.choice.state(),
            **{part.name: part.state() for part in self.parts},
        }

    def _stick_pulled(self, stick: Stick) -> None:
        if self._off or any(part.takes_a_stick() for part in self.parts):
            return
        if stick.state == "ejected":
            if self.saving is not None and self.saving.result and self.saving.stick.id == stick.id:
                self.saving = self.reading = None  # the work is done and carried away
        elif self.reading is not None and not self.reading.running:
            if self._notice != "notice.pulled_unread":  # pages may tell before the helper does
                self._notice = "notice.pulled_pages_kept"
        elif self.reading is None and stick.id == self.shelf.chosen:
            self._notice = "notice.pulled"

    def close_troubles(self) -> None:
        """The person has read what is wrong with the machine; on with the work."""
        self.troubles.close()
        self.changed()

    def show_troubles(self) -> None:
        """Show it again, once nothing is being read or saved."""
        self.troubles.show()
        self.changed()

    def close_notice(self) -> None:
        self.note(None)

    def note(self, key: str | None, count: int = 0) -> None:
        """Say something above the screen, until the person has read it; None takes it away."""
        self._notice, self._notice_count = key, count
        self.changed()

    def speak(self, language: str) -> None:
        self.language = language
        self.changed()

    def choose_stick(self, stick_id: str) -> None:
        self.shelf.choose(stick_id)

    def add(self, name: str, data: Held, origin: Origin, want: Want | None = None) -> Document:
        """Read a file that the station holds, of any kind the service takes, after those being read."""
        return self.intake.add(name, data, origin, want)

    def reading_changed(self) -> None:
        reading = self.reading
        if reading is not None and not reading.running:
            pulled = [page for page in reading.pages if page.problem and page.problem.kind is STICK_GONE]
            if pulled and len(pulled) == len(reading.pages):
                self.reading, self._notice = None, "notice.pulled"
            elif pulled:
                self._notice = "notice.pulled_unread"
            elif not any(page.result or page.problem for page in reading.pages):
                self.reading = None  # stopped before the first page: nothing to show
        self.changed()

    def page(self, number: int) -> Page:
        if self.reading is None or not 0 <= number < len(self.reading.pages):
            raise Problem(NOT_FOUND)
        return self.reading.pages[number]

    def may_edit(self) -> None:
        """Raises Problem BUSY while pages are written: what is saved is what was seen."""
        if self.saving is not None and self.saving.running:
            raise Problem(BUSY)

    def close_reading(self) -> None:
        """Back to the list; what was not saved is given up."""
        if self.reading is not None and not self.reading.running and self.saving is None:
            self.reading, self._notice, self.looks_at = None, None, "queue"
            self.changed()

    def save(self, stick_id: str | None) -> None:
        """Save every page that was read; with None, to the stick they came from, or the only one."""
        if self.saving is not None and self.saving.running:
            raise Problem(BUSY)
        if self.reading is None or self.reading.running or not self.reading.read_pages:
            raise Problem(NOTHING_TO_SAVE)
        stick = self._where_to_save(self.reading, stick_id)
        self._notice = None
        read = len(self.reading.read_pages)
        self.saving = Saving(stick, read, len(self.reading.pages) - read)
        self._run(self._save(self.saving, self.reading))
        self.changed()

    def _where_to_save(self, reading: Reading, stick_id: str | None) -> Stick:
        if stick_id is None:
            document = reading.pages[0].document
            stick = self.shelf.same(document.stick_id, document.stick_uuid)
            if stick is None and len(self.shelf.sticks) == 1:
                stick = self.shelf.sticks[0]
        else:
            stick = self.shelf.find(stick_id)
        if stick is None:
            raise Problem(STICK_GONE, "Plug in a stick to save to.")
        return stick

    async def _save(self, saving: Saving, reading: Reading) -> None:
        edits = reading.edits
        reviewed = [Reviewed(page.id, page.result, page.corrections) for page in reading.read_pages if page.result]
        await self.exports.save(saving, reading, self.shelf.media, self.language)
        if saving.stopped and self.saving is saving:
            self.saving = None
        if saving.result is not None:
            reading.saved_edits = edits
            if self._on_saved is not None:
                self._run(self._on_saved(reviewed))
        self.changed()

    def stop_saving(self) -> None:
        """Give up a save; the stick stays as it was. Too late once every byte is on its way to the stick."""
        if self.saving is not None and self.saving.running:
            self.saving.stop()

    def close_saving(self) -> None:
        """From "safe to remove", or from a save that failed, back to the pages."""
        if self.saving is not None and not self.saving.running:
            self.saving = None
            self.changed()

    async def finish(self) -> None:
        """From "safe to remove" on to the next work: the stick's list again, or wait for another."""
        saving = self.saving
        if saving is None or saving.result is None:
            return
        self.saving = self.reading = self._notice = None
        if self.shelf.media is not None and self.shelf.find(saving.stick.id) is not None:
            await self.shelf.media.use(saving.stick.id)
            self.shelf.choose(saving.stick.id)
        self.changed()

    async def power(self, action: str) -> None:
        """ "poweroff" or "reboot". Problem NOT_AVAILABLE in `serve`, BUSY while a stick is written."""
        if self.saving is not None and self.saving.running:
            raise Problem(BUSY)
        if self.shelf.media is None or not self.shelf.can_power_off:
            raise Problem(NOT_AVAILABLE)
        self._off = True  # the helper now lets go of every stick: that is no stick pulled out
        self.changed()
        for part in self.parts:
            await part.leave()
        try:
            await self.shelf.media.power(action)
        except Problem:
            self._off = False
            self.changed()
            raise

    async def settle(self) -> None:
        """Wait for what is still being done to pages that were saved."""
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _run(self, work: Any) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
