"""Reading the chosen pages one after the other, telling how far it is."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from runtime.kiosk.contracts import Reader
from runtime.kiosk.pages import Page, Status
from runtime.problems import DAMAGED_IMAGE, ENGINE_UNAVAILABLE, INTERNAL, QUEUE_FULL, Problem
from runtime.results import Progress

log = logging.getLogger(__name__)

Fetch = Callable[[Page], Awaitable[bytes]]
_TRY_AGAIN_S = 2.0


class Reading:
    """The pages of one choice. `run` may be called again for pages that failed or were stopped.

    `pages_revision` grows when a page's status or text changes, `edits` when a person corrects.
    """

    def __init__(
        self,
        pages: Sequence[Page],
        reader: Reader,
        fetch: Fetch,
        changed: Callable[[], None],
    ) -> None:
        self.pages = tuple(pages)
        self.pages_revision = 0
        self.edits = 0
        self.saved_edits: int | None = None
        self._reader = reader
        self._fetch = fetch
        self._changed = changed
        self._task: asyncio.Task[None] | None = None
        self._batch: tuple[Page, ...] = ()
        self._current: Page | None = None
        self._progress = Progress(stage="queued")
        self._started = self._page_started = time.monotonic()

    @property
    def running(self) -> bool:
        return self._task is not None

    @property
    def read_pages(self) -> list[Page]:
        return [page for page in self.pages if page.status is Status.READ]

    @property
    def unsaved(self) -> bool:
        return bool(self.read_pages) and self.saved_edits != self.edits

    def run(self, pages: Sequence[Page]) -> None:
        """Start reading `pages`, some of `self.pages`. Does nothing while already running."""
        if self._task is None:
            self._batch = tuple(pages)
            for page in self._batch:
                page.status, page.problem = Status.WAITING, None
            self._started = time.monotonic()
            self._task = asyncio.create_task(self._run())
            self._pages_changed()

    async def stop(self) -> None:
        """Give up the page at work and those that wait; what is read stays."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    async def _run(self) -> None:
        try:
            for page in self._batch:
                self._current = page
                await self._read(page)
        finally:
            for page in self._batch:
                if page.status in (Status.WAITING, Status.READING):
                    page.status = Status.STOPPED
            self._task = self._current = None
            self._pages_changed()

    async def _read(self, page: Page) -> None:
        self._page_started = time.monotonic()
        page.status = Status.READING
        self._on_progress(Progress(stage="queued"))
        try:
            data = await self._fetch(page)
            await self._recognise(page, data)
            page.status = Status.READ
            self.edits += 1
        except Problem as problem:
            page.status, page.problem = Status.FAILED, problem
        except Exception:
            log.exception("a page could not be read")
            page.status, page.problem = Status.FAILED, Problem(INTERNAL)
        self._pages_changed()

    async def _recognise(self, page: Page, data: bytes) -> None:
        while True:
            try:
                result = await self._reader.read(data, on_progress=self._on_progress)
                break
            except Problem as problem:
                if not self._will_pass(problem):
                    await self._keep_picture(page, data, 0)
                    raise
            self._on_progress(Progress(stage="queued"))
            await asyncio.sleep(_TRY_AGAIN_S)
        page.result = result
        page.corrections.clear()
        await self._keep_picture(page, data, result.rotation)

    def _will_pass(self, problem: Problem) -> bool:
        """Other programs' pages are ahead, or the engine is still loading for the first time.

        Later, an engine that is unavailable has stayed away for minutes, and that is told.
        """
        loading = problem.kind is ENGINE_UNAVAILABLE and self._reader.state == "starting"
        return loading or problem.kind is QUEUE_FULL

    async def _keep_picture(self, page: Page, data: bytes, rotation: int) -> None:
        """Kept in memory, so that a page can be looked at and corrected after its stick is gone."""
        try:
            page.picture = await self._reader.picture(data, "preview", rotation)
        except Problem as problem:
            if problem.kind is not DAMAGED_IMAGE:
                log.info("no picture: %s", problem)

    def correct(self, page: Page, line: int, text: str) -> None:
        page.correct(line, text)
        self.edits += 1
        self._changed()

    def _on_progress(self, progress: Progress) -> None:
        self._progress = progress
        self._changed()

    def _pages_changed(self) -> None:
        self.pages_revision += 1
        self._changed()

    def state(self) -> dict[str, Any]:
        """For the browser: counts, and what is being done to which page for how long."""
        now = time.monotonic()
        finished = sum(page.status in (Status.READ, Status.FAILED) for page in self._batch)
        current = None
        if self._current is not None:
            current = {
                "n": self.pages.index(self._current),
                "name": self._current.name,
                "stage": self._progress.stage,
                "done": self._progress.done,
                "total": self._progress.total,
                "elapsed_s": now - self._page_started,
            }
        return {
            "revision": self.pages_revision,
            "total": len(self.pages),
            "batch": len(self._batch),
            "finished": finished,
            "read": len(self.read_pages),
            "failed": sum(page.status is Status.FAILED for page in self.pages),
            "running": self.running,
            "elapsed_s": now - self._started,
            "current": current,
            "unsaved": self.unsaved,
        }
