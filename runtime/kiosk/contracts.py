"""What the page's server needs from the gateway."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from runtime.gateway.hardware import Hardware
from runtime.gateway.recognition import PageReader
from runtime.results import PageResult


@dataclass(frozen=True)
class Reviewed:
    """A page that was looked through and saved. `page`: the same if it is saved again."""

    page: str
    result: PageResult
    corrections: Mapping[int, str]


OnSaved = Callable[[Sequence[Reviewed]], Coroutine[None, None, None]]
"""Told of the pages that were saved; must not raise."""


class Reader(PageReader, Protocol):
    """Reads pages; implemented by runtime.gateway.reader.Reader. `state` is "ready" when a page would be read
    at once, otherwise what the engine is doing."""

    @property
    def at_a_time(self) -> int:
        """How many pages are read at a time now."""

    @property
    def reading_engine(self) -> str | None:
        """The engine that would read a page now; None while none is ready."""

    @property
    def hardware(self) -> Hardware:
        """What was found on this machine."""
