"""Thumbnails for the list, made when they come into view, one at a time."""

from __future__ import annotations

import asyncio
from collections import OrderedDict

from runtime.kiosk.session import Session
from runtime.problems import Problem

_KEPT = 400


class Thumbnails:
    """Keeps the last few hundred. One is made at a time: the processor is for reading."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._one = asyncio.Semaphore(1)
        self._kept: OrderedDict[tuple[int, int], bytes | None] = OrderedDict()

    async def get(self, revision: int, number: int) -> bytes | None:
        """A JPEG; None where there is none to show (damaged, too large, its stick gone)."""
        async with self._one:
            key = (revision, number)
            if key not in self._kept:
                try:
                    self._kept[key] = await self._make(revision, number)
                except Problem:
                    self._kept[key] = None
                while len(self._kept) > _KEPT:
                    self._kept.popitem(last=False)
            return self._kept[key]

    async def _make(self, revision: int, number: int) -> bytes:
        shelf, limits = self._session.shelf, self._session.config.limits
        file = shelf.file(revision, number)
        data = await shelf.content(shelf.chosen or "", file.path, limits.upload_bytes)
        return await self._session.reader.cage.picture(data, "thumbnail")
