"""Pages' pictures for the screen, within a bound: those that nobody has looked at for longest are made smaller.

A smaller one is still there when its page's stick is gone, and can be read; while its file can be had, it is made
sharp again when somebody looks at it.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Container, Iterable

from runtime.documents.cage import Cage
from runtime.kiosk.documents import Document
from runtime.kiosk.held import content, size_bytes
from runtime.kiosk.pages import Page
from runtime.problems import Problem

Fetch = Callable[[Document], Awaitable[bytes]]


class Album:
    """Lives as long as the pages do. `most_bytes`: of all sharp pictures together; a reduced one has some 60 KB.

    `fetch`: a document's file, if it is not in memory; raises Problem.
    """

    def __init__(self, cage: Cage, fetch: Fetch, most_bytes: int) -> None:
        self._cage = cage
        self._fetch = fetch
        self._most_bytes = most_bytes
        self._sharp: OrderedDict[str, tuple[Page, int]] = OrderedDict()
        self._sharp_bytes = 0
        self._reduced: set[str] = set()
        self._one = asyncio.Lock()
        self.revision = 0
        """Grows whenever a picture becomes another."""

    async def put(self, page: Page, picture: bytes) -> None:
        """The page's picture from now on; others may become smaller for it."""
        self._put(page, picture)
        await self._fit()

    async def take_up(self, pages: Iterable[Page]) -> None:
        """Pages that come with their pictures, such as those of the vault."""
        for page in pages:
            if (picture := page.picture) is not None:
                self._put(page, picture)
        await self._fit()

    def resume(self, pages: Iterable[Page], reduced: Container[str]) -> None:
        """Pages whose pictures are where an earlier process has left them."""
        for page in pages:
            if page.shown is not None and page.id in reduced:
                self._reduced.add(page.id)
            elif page.shown is not None:
                self._sharp[page.id] = page, size_bytes(page.shown)
                self._sharp_bytes += size_bytes(page.shown)

    async def look_at(self, page: Page) -> bytes | None:
        """As sharp as it can be had now; None for a page that has no picture."""
        if page.id in self._sharp:
            self._sharp.move_to_end(page.id)
        elif page.id in self._reduced:
            async with self._one:
                await self._sharpen(page)
            await self._fit()
        return page.picture

    def is_reduced(self, page: Page) -> bool:
        return page.id in self._reduced

    def _put(self, page: Page, picture: bytes) -> None:
        self._forget(page.id)
        page.shown = picture
        self._sharp[page.id] = page, len(picture)
        self._sharp_bytes += len(picture)
        self.revision += 1

    def _forget(self, page_id: str) -> None:
        self._reduced.discard(page_id)
        _, size = self._sharp.pop(page_id, (None, 0))
        self._sharp_bytes -= size

    async def _fit(self) -> None:
        """The one that was looked at last stays sharp, however large it is."""
        async with self._one:
            while self._sharp_bytes > self._most_bytes and len(self._sharp) > 1:
                page, _ = next(iter(self._sharp.values()))
                if not await self._reduce(page):
                    break

    async def _reduce(self, page: Page) -> bool:
        """False where it cannot be done now."""
        entry, sharp = self._sharp[page.id], page.picture
        assert sharp is not None
        try:
            small = await self._cage.picture(sharp, "reduced")
        except Problem:
            return False
        if self._sharp.get(page.id) is entry:  # else it was read again meanwhile
            self._forget(page.id)
            page.shown = min(small, sharp, key=len)
            self._reduced.add(page.id)
            self.revision += 1
        return True

    async def _sharpen(self, page: Page) -> None:
        """From the page's file, if that is still what was read."""
        document = page.document
        try:
            data = await self._fetch(document) if document.data is None else content(document.data)
            if (await asyncio.to_thread(hashlib.sha256, data)).hexdigest() != page.source_sha256:
                return
            turned = 0 if page.result is None else page.result.rotation
            picture = await self._cage.picture(data, "preview", turned, page.place, document.password)
        except Problem:
            return
        if page.id in self._reduced:
            self._put(page, picture)
