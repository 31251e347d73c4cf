"""What the page's server needs from the gateway."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from runtime.documents.pictures import Kind
from runtime.gateway.hardware import Hardware
from runtime.results import PageResult, Progress


@dataclass(frozen=True)
class Reviewed:
    """A page that was looked through and saved. `page`: the same if it is saved again."""

    page: str
    result: PageResult
    corrections: Mapping[int, str]


OnSaved = Callable[[Sequence[Reviewed]], Coroutine[None, None, None]]
"""Told of the pages that were saved; must not raise."""
OnProgress = Callable[[Progress], None]


class Reader(Protocol):
    """Reads one page image; implemented by runtime.gateway.reader.Reader."""

    @property
    def state(self) -> str:
        """ "ready" when a page would be read at once; otherwise what the engine is doing."""

    @property
    def reading_engine(self) -> str | None:
        """The engine that would read a page now; None while none is ready."""

    @property
    def hardware(self) -> Hardware:
        """What was found on this machine."""

    async def read(self, data: bytes, *, on_progress: OnProgress | None = None) -> PageResult: ...

    async def picture(self, data: bytes, kind: Kind, clockwise: int = 0) -> bytes:
        """A small JPEG for the screen; files from sticks are opened in the cage alone."""
