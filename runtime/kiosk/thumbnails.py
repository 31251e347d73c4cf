"""Thumbnails for the lists, made when they come into view, one at a time."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable

from runtime.kiosk.pages import Page
from runtime.kiosk.session import Session
from runtime.problems import Problem

_KEPT = 1200


class Thumbnails:
    """Keeps the thousand or so that were asked for last, of 3 KB each. One is made at a time: the processor is for
    reading."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._one = asyncio.Semaphore(1)
        self._kept: OrderedDict[Hashable, bytes | None] = OrderedDict()

    async def of_file(self, revision: int, number: int, page: int) -> bytes | None:
        """A JPEG of a page of a file in the list; None where there is none (damaged, locked, its stick gone)."""

        async def make() -> bytes:
            peeked = self._session.peeked
            data, password = await peeked.data(revision, number), peeked.password(revision, number)
            return await self._session.reader.cage.picture(data, "thumbnail", page=page, password=password)

        locked = self._session.peeked.password(revision, number)
        return await self._get(("file", revision, number, page, locked), make)

    async def of_page(self, page: Page) -> bytes | None:
        """A JPEG of a page that was brought in, turned upright once it was read."""

        async def make() -> bytes:
            cage = self._session.reader.cage
            if (shown := page.picture) is not None:
                return await cage.picture(shown, "thumbnail")
            data = await self._session.intake.bytes_of(page)
            return await cage.picture(data, "thumbnail", page=page.place, password=page.document.password)

        return await self._get(("page", page.id, page.shown is not None, page.document.password), make)

    async def _get(self, key: Hashable, make: Callable[[], Awaitable[bytes]]) -> bytes | None:
        async with self._one:
            if key not in self._kept:
                try:
                    self._kept[key] = await make()
                except Problem:
                    self._kept[key] = None
                while len(self._kept) > _KEPT:
                    self._kept.popitem(last=False)
            self._kept.move_to_end(key)
            return self._kept[key]

    def forget(self) -> None:
        self._kept.clear()
