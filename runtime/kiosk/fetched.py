"""The last document that was fetched from a stick: its pages come one after the other."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from runtime.kiosk.documents import Document


class Fetched:
    """`fetch`: a document's file; raises Problem."""

    def __init__(self, fetch: Callable[[Document], Awaitable[bytes]]) -> None:
        self._fetch = fetch
        self._last: tuple[Document, bytes] | None = None

    def has(self, document: Document) -> bool:
        return self._last is not None and self._last[0] is document

    async def content(self, document: Document) -> bytes:
        """Raises Problem as `fetch` does."""
        last = self._last
        if last is None or last[0] is not document:
            last = self._last = document, await self._fetch(document)
        return last[1]

    def forget(self) -> None:
        self._last = None
