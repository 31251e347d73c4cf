"""A part of the station that the page shows beside pages and sticks: a camera, a vault, the admin's page."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from runtime.kiosk.documents import Document
from runtime.kiosk.held import Held
from runtime.kiosk.pages import Page
from runtime.kiosk.reading import Reading

Put = Callable[[str, Held], Held]


@dataclass(frozen=True)
class Left:
    """What an earlier process has left. `place`: the file of a name, None if it is not there."""

    reading: Reading | None
    pages: Mapping[str, Page]
    documents: Mapping[str, Document]
    place: Callable[[str], Path | None]


class MadeOnce:
    """What is made anew only when what it hangs on has become another: `outlives` is called at every change."""

    def __init__(self) -> None:
        self._made: tuple[object, Any] | None = None

    def of(self, hangs_on: object, make: Callable[[], Any]) -> Any:
        if self._made is None or self._made[0] != hangs_on:
            self._made = hangs_on, make()
        return self._made[1]


class Part:
    """`name`: the key of its state among what the page is told. Call Session.changed() when that changes."""

    name = ""

    def state(self) -> Any:
        """What the page is told of it; anything that JSON holds."""
        return None

    def screen(self) -> str | None:
        """The section that it asks for now; None mostly. It comes before pages and lists, after a save."""
        return None

    def holds(self) -> int:
        """Pages that it has and that are not being read yet, such as scans: they count as not saved."""
        return 0

    def unlocked(self) -> bool:
        """Whether it gives whoever stands there more than is on the screen, such as an open vault."""
        return False

    async def lock_up(self) -> None:
        """Nobody has touched the station for long: give it to nobody until a person unlocks it. Nothing is lost."""

    async def let_go(self) -> None:
        """Let go of whatever is left of pages: they are to be forgotten, saved or not."""

    def outlives(self, put: Put) -> Any:
        """What of it outlives this process, as JSON has it: lists, no tuples. Called at every change, so it is
        quick. `put` gives bytes a file of that name, and answers where they are now: a Path, or they themselves
        where there is no room."""
        return None

    def resume(self, kept: Any, left: Left) -> None:
        """Go on with what an earlier process had. Before `follow`, and only with what `outlives` gave. Raises
        ValueError, TypeError or KeyError if it is damaged."""

    def takes_a_stick(self) -> bool:
        """Whether a stick that goes now was taken by it, and not pulled out."""
        return False

    async def leave(self) -> None:
        """The machine is about to be switched off: what must be written is written when this returns."""

    async def follow(self) -> None:
        """Runs for as long as the page is served; cancelled at the end."""
